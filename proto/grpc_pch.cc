// Exists to give guilder_grpc_pch something to compile: the precompiled header is what is wanted.
