// What a partner's software does on its first day. GUILDER_READY_FILE names the network.
'use strict';

const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const { after, test } = require('node:test');

const { connect, contracts, errorInfo, exchange, grpc, readNetwork } = require('./client.js');

const network = readNetwork(process.env.GUILDER_READY_FILE);
const [own, other] = network.partners;
const { guilder } = contracts;

const clients = [];
function service(Service, endpoint, token) {
  const client = connect(Service, network.endpoints[endpoint], token);
  clients.push(client);
  return client;
}
after(() => clients.forEach((client) => client.close()));

const accrual = service(guilder.accrual.v1.AccrualService, 'accrual', own.api_key);
const members = service(guilder.member.v1.MemberService, 'member', own.api_key);
const redemption = service(guilder.redemption.v1.RedemptionService, 'redemption', own.api_key);

function aPurchase(card, changes = {}) {
  const now = new Date(Date.now() - 60_000);
  return {
    request_id: randomUUID(),
    receipt: {
      store: own.store,
      terminal: own.terminal,
      receipt_number: randomUUID(),
      business_date: now.toISOString().slice(0, 10),
    },
    card_number: card,
    occurred_at: { seconds: Math.floor(now / 1000), nanos: 0 },
    currency_code: 'EUR',
    lines: [
      { line_id: '1', sku: '4711', quantity: 2, amount_minor_units: 2340, category: 'dairy' },
      { line_id: '2', sku: '4712', quantity: 1, amount_minor_units: 1099, category: 'bread' },
    ],
    ...changes,
  };
}

async function enrol() {
  const { response } = await members.call('EnrolMember', {
    request_id: randomUUID(),
    member: { given_name: 'Test', family_name: 'Member' },
  });
  return response;
}

async function balance(card) {
  return (await members.call('GetBalance', { card_number: card })).response;
}

async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    if (error.metadata) return { error, info: errorInfo(error) };
    throw error;
  }
  return assert.fail('the call was not refused');
}

test('a member is enrolled, a purchase posted, and the balance has its points', async () => {
  const member = await enrol();
  assert.match(member.member, /^members\//);
  assert.match(member.card_number, /^\d{16,19}$/);
  const before = await balance(member.card_number);
  assert.equal(before.member, member.member);
  assert.equal(before.available_points, member.welcome_points);

  const { response } = await accrual.call('RecordPurchase', aPurchase(member.card_number));

  assert.match(response.name, /^purchases\//);
  assert.ok(response.points > 0);
  assert.equal(
    response.line_points.reduce((sum, points) => sum + points, 0),
    response.points,
  );
  assert.equal(response.journal_receipt.leaf_hash.length, 32);
  const now = await balance(member.card_number);
  assert.equal(
    now.available_points + now.pending_points,
    before.available_points + before.pending_points + response.points,
  );
  const read = await accrual.call('GetPurchase', { name: response.name });
  assert.equal(read.response.purchase.points, response.points);
  assert.equal(read.response.purchase.lines.length, 2);
});

test('a repeated request gets the same answer and posts nothing', async () => {
  const request = aPurchase(own.card);
  const first = await accrual.call('RecordPurchase', request);
  const after_first = await balance(own.card);

  const again = await accrual.call('RecordPurchase', request);

  assert.deepEqual(again.response, first.response);
  assert.deepEqual(first.trailers.get('guilder-replayed'), []);
  assert.deepEqual(again.trailers.get('guilder-replayed'), ['true']);
  assert.deepEqual(await balance(own.card), after_first);

  const same_receipt = { ...request, request_id: randomUUID() };
  const other_id = await accrual.call('RecordPurchase', same_receipt);
  assert.deepEqual(other_id.response, first.response);

  const changed = { ...request, lines: request.lines.slice(1) };
  const reused = await refusal(accrual.call('RecordPurchase', changed));
  assert.equal(reused.error.code, grpc.status.ALREADY_EXISTS);
  assert.equal(reused.info.reason, 'REQUEST_ID_REUSED');
  assert.deepEqual(await balance(own.card), after_first);
});

test("another partner's store is refused, with the reason for programs", async () => {
  const request = aPurchase(own.card);
  request.receipt.store = other.store;

  const { error, info } = await refusal(accrual.call('RecordPurchase', request));

  assert.equal(error.code, grpc.status.PERMISSION_DENIED);
  assert.equal(info.code, grpc.status.PERMISSION_DENIED);
  assert.equal(info.reason, 'NOT_YOURS');
  assert.equal(info.domain, 'guilder');
});

test('a call without a key, or with an unknown one, is refused', async () => {
  for (const [token, reason] of [
    ['', 'CREDENTIALS_MISSING'],
    [`${own.api_key.slice(0, -4)}0000`, 'CREDENTIALS_INVALID'],
  ]) {
    const stranger = service(guilder.member.v1.MemberService, 'member', token);
    const { error, info } = await refusal(stranger.call('GetBalance', { card_number: own.card }));
    assert.equal(error.code, grpc.status.UNAUTHENTICATED);
    assert.equal(info.reason, reason);
  }
});

test('streamed purchases are answered one by one, refusals included', async () => {
  const good = aPurchase(own.card);
  const bad = aPurchase(own.card, { card_number: '' });

  const answers = await exchange(accrual.stream('RecordPurchases'), [
    { purchase: good },
    { purchase: bad },
  ]);

  assert.equal(answers.length, 2);
  const of = (request) => answers.find((answer) => answer.request_id === request.request_id);
  assert.ok(of(good).purchase.points > 0);
  assert.equal(of(bad).error.code, grpc.status.INVALID_ARGUMENT);
});

test('points are held, captured and refunded', async () => {
  const member = await enrol();
  assert.ok(member.welcome_points >= 10, 'the programme gives something to spend');
  const { response: held } = await redemption.call('AuthorizeRedemption', {
    request_id: randomUUID(),
    store: own.store,
    card_number: member.card_number,
    points: 10,
  });
  assert.equal((await balance(member.card_number)).held_points, 10);

  const { response: captured } = await redemption.call('CaptureRedemption', {
    request_id: randomUUID(),
    name: held.name,
  });
  assert.equal(captured.captured_points, 10);
  assert.equal((await balance(member.card_number)).available_points, member.welcome_points - 10);

  await redemption.call('RefundRedemption', { request_id: randomUUID(), name: held.name, points: 4 });
  assert.equal((await balance(member.card_number)).available_points, member.welcome_points - 6);

  const { info } = await refusal(
    redemption.call('AuthorizeRedemption', {
      request_id: randomUUID(),
      store: own.store,
      card_number: member.card_number,
      points: member.welcome_points,
    }),
  );
  assert.equal(info.reason, 'INSUFFICIENT_POINTS');
  assert.equal(info.metadata.available_points, String(member.welcome_points - 6));
});

test('health and reflection answer on every endpoint', async () => {
  for (const [name, endpoint] of Object.entries(network.endpoints)) {
    const health = connect(contracts.grpc.health.v1.Health, endpoint, '');
    clients.push(health);
    const { response } = await health.call('Check', {});
    assert.equal(response.status, 'SERVING', name);

    const reflection = connect(contracts.grpc.reflection.v1alpha.ServerReflection, endpoint, '');
    clients.push(reflection);
    const [list, file] = await exchange(reflection.stream('ServerReflectionInfo'), [
      { list_services: '' },
      { file_containing_symbol: 'grpc.health.v1.Health' },
    ]);
    const services = list.list_services_response.service.map((row) => row.name);
    assert.ok(
      services.some((service) => service.startsWith(`guilder.${name}.v1.`)),
      `${name}: ${services}`,
    );
    assert.ok(file.file_descriptor_response.file_descriptor_proto.length > 0, name);
  }
});

test('the ledger proves itself afterwards', async () => {
  const operators = service(
    guilder.operator.v1.OperatorService,
    'operator',
    network.operators.auditor,
  );
  const last = (await operators.readAll('VerifyLedger', {})).at(-1);
  assert.ok(last.done);
  assert.deepEqual(
    last.checks.filter((check) => !check.ok),
    [],
  );
  const { response } = await operators.call('GetProgramme', {});
  assert.equal(response.programme.currency_code, 'EUR');
});
