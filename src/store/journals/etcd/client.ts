/** etcd behind several addresses: asks the one that answered last, and goes on to the next when it does not. */
import type { Clock } from "../../../seams/clock.ts";
import type { JournalMember } from "../../journal.ts";
import { Member } from "./member.ts";
import type { Call, CallListener, ChannelTls, Metadata } from "./rpc/grpc-channel.ts";
import { GRPC, GrpcError } from "./rpc/grpc-error.ts";
import {
  decodeRange,
  decodeSecondText,
  decodeTxn,
  encodeAuthenticate,
  encodeCompact,
  encodeRange,
  encodeTxn,
  type RangeRequest,
  type RangeResponse,
  type TxnRequest,
  type TxnResponse,
} from "./rpc/messages.ts";
import { readAs } from "./rpc/read-as.ts";

export interface EtcdConnection {
  /** `http://host:2379` or `https://…`; one or more members of one etcd cluster. */
  readonly endpoints: readonly string[];
  readonly tls?: ChannelTls;
  readonly user?: { readonly name: string; readonly password: string };
}

const AUTH_TIMEOUT_MS = 5_000;

export class EtcdClient {
  readonly #members: readonly Member[];
  readonly #user: EtcdConnection["user"];
  #current = 0;
  #token: string | undefined;
  #authenticating: Promise<void> | undefined;
  /** Keeps the process alive until `close`, also while no connection can be made and all that runs is a clock. */
  readonly #alive = new MessageChannel();

  constructor({ endpoints, tls, user }: EtcdConnection, clock: Clock) {
    this.#members = endpoints.map((url) => new Member(url, tls ?? {}, clock));
    this.#user = user;
    this.#alive.port1.ref();
  }

  get endpoints(): readonly string[] {
    return this.#members.map(({ url }) => url);
  }

  async range(request: RangeRequest, timeoutMs: number): Promise<RangeResponse> {
    return readAs(decodeRange, await this.#call("/etcdserverpb.KV/Range", encodeRange(request), timeoutMs));
  }

  /**
   * One attempt at one member: when it fails without etcd's answer, nobody knows whether it was done. After `lateMs` the
   * next call goes to the next member, and the answer to this one is still waited for.
   */
  async txn(request: TxnRequest, timeoutMs: number, lateMs = timeoutMs): Promise<TxnResponse> {
    return readAs(decodeTxn, await this.#call("/etcdserverpb.KV/Txn", encodeTxn(request), timeoutMs, lateMs));
  }

  async compact(revision: number, timeoutMs: number): Promise<void> {
    await this.#call("/etcdserverpb.KV/Compact", encodeCompact(revision), timeoutMs);
  }

  /** The version of the member that is asked, such as 3.4.23. */
  async version(timeoutMs: number): Promise<string> {
    return readAs(decodeSecondText, await this.#call("/etcdserverpb.Maintenance/Status", new Uint8Array(), timeoutMs));
  }

  /** How each member answers; etcd asks nobody who he is for that. Rejects never. */
  async members(timeoutMs: number): Promise<readonly JournalMember[]> {
    return Promise.all(this.#members.map((member) => member.health(timeoutMs)));
  }

  /** A watch at the n-th address, counted around. */
  async watch(nth: number, listener: CallListener): Promise<Call> {
    await this.#authenticate();
    return this.#member(nth).open("/etcdserverpb.Watch/Watch", this.#metadata(), listener);
  }

  /** After it, connections to the n-th address are made anew: the one there was stands still. */
  reset(nth: number): void {
    this.#member(nth).reset();
  }

  /** The token is no good any more; the next call gets another. */
  forgetToken(): void {
    this.#token = undefined;
  }

  close(): void {
    this.#alive.port1.close();
    for (const member of this.#members) member.close();
  }

  #member(nth: number): Member {
    const member = this.#members[nth % this.#members.length];
    if (!member) throw new RangeError("an etcd client needs an address");
    return member;
  }

  /** A member that has lost its leader is to say so at once (`hasleader` of etcd's rpctypes). */
  #metadata(): Metadata {
    return { hasleader: "true", ...(this.#token === undefined ? {} : { token: this.#token }) };
  }

  async #call(path: string, message: Uint8Array, timeoutMs: number, lateMs = timeoutMs): Promise<Buffer> {
    await this.#authenticate();
    const attempt = () => this.#attempt(path, message, timeoutMs, lateMs);
    try {
      return await attempt();
    } catch (error) {
      if (!isStaleToken(error) || !this.#user) throw error;
      this.forgetToken();
      await this.#authenticate();
      return attempt();
    }
  }

  async #attempt(path: string, message: Uint8Array, timeoutMs: number, lateMs: number): Promise<Buffer> {
    const asked = this.#current;
    const patience = { timeoutMs, lateMs, late: () => this.#goOnFrom(asked) };
    try {
      return await this.#member(asked).unary(path, message, this.#metadata(), patience);
    } catch (error) {
      if (isWayLost(error)) this.#goOnFrom(asked);
      throw error;
    }
  }

  /** Calls that were under way together move on by one address, not by one each. */
  #goOnFrom(asked: number): void {
    if (this.#current === asked) this.#current = (asked + 1) % this.#members.length;
  }

  async #authenticate(): Promise<void> {
    if (!this.#user || this.#token !== undefined) return;
    this.#authenticating ??= this.#fetchToken(this.#user).finally(() => {
      this.#authenticating = undefined;
    });
    await this.#authenticating;
  }

  async #fetchToken(user: { readonly name: string; readonly password: string }): Promise<void> {
    const message = encodeAuthenticate(user);
    try {
      const answer = await this.#attempt("/etcdserverpb.Auth/Authenticate", message, AUTH_TIMEOUT_MS, AUTH_TIMEOUT_MS);
      this.#token = readAs(decodeSecondText, answer);
    } catch (error) {
      // A user was given, and this etcd asks for none: it lets everybody in.
      if (!(error instanceof GrpcError) || !/authentication is not enabled/.test(error.message)) throw error;
      this.#token = "";
    }
  }
}

function isStaleToken(error: unknown): boolean {
  if (!(error instanceof GrpcError) || !error.isAnswer) return false;
  return error.code === GRPC.unauthenticated || /revision in header is old|invalid auth token/.test(error.message);
}

/** Another member may do better. */
function isWayLost(error: unknown): boolean {
  return error instanceof GrpcError && (!error.isAnswer || error.code === GRPC.unavailable);
}
