/** google.golang.org/grpc/codes, those that etcd answers with. */
export const GRPC = {
  ok: 0,
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** A call that failed: etcd's own answer, or the way to it. */
export class GrpcError extends Error {
  override readonly name = "GrpcError";
  readonly code: number;
  /** etcd has answered; false when the connection failed or nothing came in time, so that nobody knows what it did. */
  readonly isAnswer: boolean;

  constructor(code: number, message: string, isAnswer: boolean) {
    super(message);
    this.code = code;
    this.isAnswer = isAnswer;
  }
}
