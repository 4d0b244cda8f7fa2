/** What a failed call means for who made it, and in words for who reads about it. */
import { GRPC, GrpcError } from "./rpc/grpc-error.ts";

/**
 * `refused`: etcd has answered that it did nothing. `full`: it is out of space; it may have done it all the same
 * (quotaApplierV3 of etcd applies, and then answers ErrNoSpace). `doubt`: nobody knows; asking again may help.
 */
export type Verdict = "refused" | "full" | "doubt";

const REFUSALS: readonly number[] = [
  GRPC.invalidArgument,
  GRPC.permissionDenied,
  GRPC.failedPrecondition,
  GRPC.outOfRange,
  GRPC.unimplemented,
  GRPC.unauthenticated,
];

export function verdictOf(error: unknown): Verdict {
  if (!(error instanceof GrpcError)) throw error;
  if (/database space exceeded/.test(error.message)) return "full";
  if (/larger than max/.test(error.message)) return "refused";
  return error.isAnswer && REFUSALS.includes(error.code) ? "refused" : "doubt";
}

/** No other attempt will do better until a person has done something. */
export function isHopeless(error: unknown): boolean {
  if (!(error instanceof GrpcError)) return true;
  return (
    (error.isAnswer && REFUSALS.includes(error.code)) ||
    /--store-ca|--store-cert|no TLS is spoken|that is no etcd/.test(error.message)
  );
}

export function inWords(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof GrpcError)) return message;
  if (/database space exceeded/.test(message)) {
    return "etcd is out of space: compact and defragment it, raise its quota (--quota-backend-bytes), then: etcdctl alarm disarm";
  }
  if (/authentication failed|invalid user ID or password/.test(message)) {
    return "etcd does not know this user and password (--store-user, --store-password-file)";
  }
  if (/user name is empty/.test(message))
    return "etcd asks for a user and a password (--store-user, --store-password-file)";
  if (error.code === GRPC.permissionDenied) {
    return "this etcd user may not read and write below the prefix: etcdctl role grant-permission ROLE --prefix=true readwrite PREFIX";
  }
  if (error.code === GRPC.unimplemented) return "this etcd is older than 3.4";
  if (/no leader|leader changed/.test(message))
    return "etcd has no leader at present: most of its members are out of reach";
  return message.replace(/^etcdserver: /, "etcd: ");
}
