/** Why the server refuses a request: closed, part of the contract. The dialects render each in their own words and codes. */
export type RefusalReason =
  | "BadRequest"
  | "Unauthorized"
  | "Forbidden"
  | "NotFound"
  | "MethodNotAllowed"
  | "NotAcceptable"
  | "AlreadyExists"
  | "Conflict"
  | "Expired"
  | "TooLarge"
  | "UnsupportedMediaType"
  | "Invalid"
  | "TooManyRequests"
  | "ServerError"
  | "Unavailable"
  | "Timeout";

export const HTTP_STATUS: Readonly<Record<RefusalReason, number>> = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  TooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  ServerError: 500,
  Unavailable: 503,
  Timeout: 504,
};

/** One thing wrong with one field. `field` is a path in the dialect's own spelling: `spec.containers[0].image`. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
  /** Kubernetes' cause reason: FieldValueInvalid, FieldValueRequired, … */
  readonly reason?: string;
}

/** A refusal: the request is at fault, or cannot be served now. Never a bug of ours, never retried by us. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly reason: RefusalReason;
  readonly causes: readonly FieldError[];
  /** The object it is about, in the dialect's words. */
  readonly subject: { readonly kind?: string; readonly name?: string };
  readonly retryAfterSeconds: number | undefined;

  constructor(
    reason: RefusalReason,
    message: string,
    more: {
      readonly causes?: readonly FieldError[];
      readonly kind?: string;
      readonly name?: string;
      readonly retryAfterSeconds?: number;
    } = {},
  ) {
    super(message);
    this.reason = reason;
    this.causes = more.causes ?? [];
    this.subject = {
      ...(more.kind === undefined ? {} : { kind: more.kind }),
      ...(more.name === undefined ? {} : { name: more.name }),
    };
    this.retryAfterSeconds = more.retryAfterSeconds;
  }

  get status(): number {
    return HTTP_STATUS[this.reason];
  }
}
