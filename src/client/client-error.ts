/** The server could not be asked, or refused. Worded for people, with what to do next where that is known. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;
  readonly next: string | undefined;

  constructor(message: string, more: { readonly status?: number; readonly next?: string } = {}) {
    super(message);
    this.status = more.status;
    this.next = more.next;
  }
}
