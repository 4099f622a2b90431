// Calls of a Guilder network with the gRPC of Node.js, which shares no code with Guilder's: from the
// contracts in proto/ and the file that `guilder dev --ready-file` writes.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const protobuf = require('protobufjs');

const PROTO = path.join(__dirname, '..', '..', '..', 'proto');
const CALL_SECONDS = 20;

const contracts = grpc.loadPackageDefinition(
  loader.loadSync(
    [
      'guilder/accrual/v1/accrual_service.proto',
      'guilder/member/v1/member_service.proto',
      'guilder/operator/v1/operator_service.proto',
      'guilder/redemption/v1/redemption_service.proto',
      'grpc/health/v1/health.proto',
      'reflection.proto',
    ],
    { includeDirs: [PROTO, __dirname], keepCase: true, longs: Number, enums: String, defaults: true },
  ),
);

// Details of errors are not part of a service, so the loader above gives no codec for them.
const details = (() => {
  const root = new protobuf.Root();
  root.resolvePath = (origin, target) => path.join(PROTO, target);
  return root.loadSync(['google/rpc/status.proto', 'google/rpc/error_details.proto']);
})();

function readNetwork(file) {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

function bearer(token) {
  const metadata = new grpc.Metadata();
  if (token) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

function deadline() {
  return { deadline: new Date(Date.now() + CALL_SECONDS * 1000) };
}

// A service of the network as functions: `await call('GetBalance', {...})` gives `response` and
// `trailers`, or throws the gRPC error.
function connect(Service, endpoint, token) {
  const client = new Service(endpoint, grpc.credentials.createInsecure());
  const call = (method, request) =>
    new Promise((resolve, reject) => {
      let response;
      const running = client[method](request, bearer(token), deadline(), (error, answer) => {
        if (error) reject(error);
        response = answer;
      });
      running.on('status', (status) => {
        // The callback comes first or after, as the library likes.
        setImmediate(() => resolve({ response, trailers: status.metadata }));
      });
    });
  return {
    call,
    // A stream both ways, for `exchange`.
    stream: (method) => client[method](bearer(token), deadline()),
    // All answers to one request.
    readAll: (method, request) => collect(client[method](request, bearer(token), deadline())),
    close: () => client.close(),
  };
}

// The ErrorInfo in the trailer of a refused call.
function errorInfo(error) {
  const Status = details.lookupType('google.rpc.Status');
  const ErrorInfo = details.lookupType('google.rpc.ErrorInfo');
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const status = Status.decode(bytes);
  const any = status.details.find((detail) => detail.type_url.endsWith('/google.rpc.ErrorInfo'));
  return { code: status.code, ...ErrorInfo.toObject(ErrorInfo.decode(any.value), { objects: true }) };
}

function collect(stream) {
  return new Promise((resolve, reject) => {
    const answers = [];
    stream.on('data', (answer) => answers.push(answer));
    stream.on('error', reject);
    stream.on('end', () => resolve(answers));
  });
}

// Sends requests over a stream and gives all answers.
function exchange(stream, requests) {
  const answers = collect(stream);
  for (const request of requests) stream.write(request);
  stream.end();
  return answers;
}

module.exports = { connect, contracts, errorInfo, exchange, grpc, readNetwork };
