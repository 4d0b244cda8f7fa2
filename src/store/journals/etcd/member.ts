/** One address of etcd, and whether something is heard from there: who is slow keeps the connection, who is silent loses it. */
import type { Clock } from "../../../seams/clock.ts";
import type { JournalMember } from "../../journal.ts";
import { type Call, type CallListener, type ChannelTls, GrpcChannel, type Metadata } from "./rpc/grpc-channel.ts";
import { GRPC, GrpcError } from "./rpc/grpc-error.ts";
import { decodeKnowsLeader } from "./rpc/messages.ts";

export interface Patience {
  /** After it nobody waits for the answer any more. */
  readonly timeoutMs: number;
  /** After it, when nothing at all was heard meanwhile, later calls get another connection, and `late` is called; the call goes on. */
  readonly lateMs: number;
  readonly late: () => void;
}

export class Member {
  readonly #channel: GrpcChannel;
  readonly #clock: Clock;
  #heardMs = Number.NEGATIVE_INFINITY;
  /** Counts connections: that one was silent says nothing of the next. */
  #connection = 0;
  #isClosed = false;

  constructor(url: string, tls: ChannelTls, clock: Clock) {
    this.#channel = new GrpcChannel(url, tls, clock);
    this.#clock = clock;
  }

  get url(): string {
    return this.#channel.url;
  }

  async unary(path: string, message: Uint8Array, metadata: Metadata, patience: Patience): Promise<Buffer> {
    const isSilent = this.#silence();
    const late = this.#clock.setTimer(patience.lateMs, () => {
      if (isSilent()) this.#retire();
      patience.late();
    });
    try {
      const answer = await this.#channel.unary(path, message, metadata, patience.timeoutMs);
      this.#hear();
      return answer;
    } catch (error) {
      if (error instanceof GrpcError && error.isAnswer) this.#hear();
      else if (isSilent()) this.reset();
      throw error;
    } finally {
      late.cancel();
    }
  }

  /** How it answers; etcd asks nobody who he is for that. Never rejects. */
  async health(timeoutMs: number, isAgain = false): Promise<JournalMember> {
    const { url } = this;
    // A connection that is made now would be closed by nobody, and keep the process alive.
    if (this.#isClosed) return { url, problem: "it is asked no more: the journal is closed" };
    try {
      const answer = await this.#channel.unary("/etcdserverpb.Maintenance/Status", new Uint8Array(), {}, timeoutMs);
      return decodeKnowsLeader(answer) ? { url } : { url, problem: "it knows no leader of etcd" };
    } catch (error) {
      if (!(error instanceof GrpcError)) return { url, problem: "its answer cannot be read: is it etcd?" };
      // A connection from before may have ended with the question; a new one says why there is none.
      const isCut = !error.isAnswer && error.code !== GRPC.deadlineExceeded;
      if (isCut && !isAgain) return this.health(timeoutMs, true);
      return { url, problem: error.message.replace(`${url}: `, "").replace(`${url} did`, "it did") };
    }
  }

  open(path: string, metadata: Metadata, listener: CallListener): Call {
    return this.#channel.open(path, metadata, {
      message: (bytes) => {
        this.#hear();
        listener.message(bytes);
      },
      ended: (error) => listener.ended(error),
    });
  }

  /** Drops everything that is under way there. */
  reset(): void {
    this.#connection++;
    this.#channel.reset();
  }

  close(): void {
    this.#isClosed = true;
    this.#channel.close();
  }

  #retire(): void {
    if (this.#channel.retire()) this.#connection++;
  }

  #hear(): void {
    this.#heardMs = this.#clock.monotonic();
  }

  /** Tells whether the connection there is now has said nothing from now on. */
  #silence(): () => boolean {
    const [sentMs, connection] = [this.#clock.monotonic(), this.#connection];
    return () => connection === this.#connection && this.#heardMs < sentMs;
  }
}
