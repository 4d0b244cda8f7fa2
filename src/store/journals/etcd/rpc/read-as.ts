import { GRPC, GrpcError } from "./grpc-error.ts";

/** What cannot be read is no answer of etcd's, whoever gave it: another member may do better. */
export function readAs<T>(decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T {
  try {
    return decode(bytes);
  } catch (error) {
    throw new GrpcError(GRPC.unavailable, `what it answers cannot be read: ${(error as Error).message}`, false);
  }
}
