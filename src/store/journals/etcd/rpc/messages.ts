/** The few messages of etcd's API that the journal speaks: api/etcdserverpb/rpc.proto and api/mvccpb/kv.proto of etcd 3.4. */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

export interface KeyValue {
  readonly key: string;
  readonly modRevision: number;
  readonly value: Uint8Array;
}

export interface RangeRequest {
  readonly key: string;
  /** Exclusive. Absent: the one key. */
  readonly end?: string;
  readonly limit?: number;
  /** As it was at this revision; absent: now, as the majority has it. */
  readonly revision?: number;
}

export type Op =
  | { readonly put: { readonly key: string; readonly value: string | Uint8Array } }
  | { readonly remove: { readonly key: string; readonly end?: string } }
  | { readonly range: RangeRequest }
  | { readonly all: readonly Op[] };

export interface TxnRequest {
  /** Every key's revision of its last change is this; 0: there is no such key. */
  readonly unchanged: readonly { readonly key: string; readonly modRevision: number }[];
  readonly apply: readonly Op[];
  readonly otherwise?: readonly RangeRequest[];
}

export interface Header {
  readonly clusterId: string;
  readonly revision: number;
}

export interface RangeResponse {
  readonly header: Header;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
}

export interface TxnResponse {
  readonly header: Header;
  readonly succeeded: boolean;
  /** What the ranges of `otherwise` found, one after another. */
  readonly kvs: readonly KeyValue[];
}

export interface WatchEvent {
  readonly type: "put" | "removed";
  readonly kv: KeyValue;
}

export interface WatchResponse {
  readonly header: Header;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly cancelReason: string;
  /** More of the same answer follows. */
  readonly fragment: boolean;
  readonly events: readonly WatchEvent[];
}

type Writing<T> = (value: T, writer: BinaryWriter) => BinaryWriter;

function message<T>(writer: BinaryWriter, field: number, value: T, write: Writing<T>): BinaryWriter {
  write(value, writer.tag(field, WireType.LengthDelimited).fork());
  return writer.join();
}

function text(writer: BinaryWriter, field: number, value: string | Uint8Array): BinaryWriter {
  writer.tag(field, WireType.LengthDelimited);
  return typeof value === "string" ? writer.string(value) : writer.bytes(value);
}

function number(writer: BinaryWriter, field: number, value: number): BinaryWriter {
  return writer.tag(field, WireType.Varint).int64(value);
}

const finish = <T>(value: T, write: Writing<T>): Uint8Array => write(value, new BinaryWriter()).finish();

const writeRange: Writing<RangeRequest> = ({ key, end, limit, revision }, writer) => {
  text(writer, 1, key);
  if (end !== undefined) text(writer, 2, end);
  if (limit !== undefined) number(writer, 3, limit);
  if (revision !== undefined) number(writer, 4, revision);
  return writer;
};

const writeOp: Writing<Op> = (op, writer) => {
  if ("range" in op) return message(writer, 1, op.range, writeRange);
  if ("put" in op) return message(writer, 2, op.put, ({ key, value }, inner) => text(text(inner, 1, key), 2, value));
  if ("all" in op) return message(writer, 4, { unchanged: [], apply: op.all }, writeTxn);
  return message(writer, 3, op.remove, ({ key, end }, inner) => {
    text(inner, 1, key);
    return end === undefined ? inner : text(inner, 2, end);
  });
};

const COMPARE_MOD_REVISION = 2;

const writeTxn: Writing<TxnRequest> = ({ unchanged, apply, otherwise }, writer) => {
  for (const { key, modRevision } of unchanged) {
    message(writer, 1, key, (_, inner) =>
      // EQUAL is 0, which proto3 leaves out.
      number(text(inner.tag(2, WireType.Varint).int32(COMPARE_MOD_REVISION), 3, key), 6, modRevision),
    );
  }
  for (const op of apply) message(writer, 2, op, writeOp);
  for (const range of otherwise ?? []) message(writer, 3, { range }, writeOp);
  return writer;
};

export const encodeRange = (request: RangeRequest) => finish(request, writeRange);
export const encodeTxn = (request: TxnRequest) => finish(request, writeTxn);
export const encodeCompact = (revision: number) => finish(revision, (value, writer) => number(writer, 1, value));
export const encodeAuthenticate = (who: { readonly name: string; readonly password: string }) =>
  finish(who, ({ name, password }, writer) => text(text(writer, 1, name), 2, password));

/** WatchCreateRequest with fragments, so that no answer outgrows what either side takes. */
export const encodeWatch = (from: { readonly key: string; readonly end: string; readonly revision: number }) =>
  finish(from, (value, writer) =>
    message(writer, 1, value, ({ key, end, revision }, inner) => {
      number(text(text(inner, 1, key), 2, end), 3, revision);
      return inner.tag(8, WireType.Varint).bool(true);
    }),
  );

/** WatchProgressRequest: asks for a sign of life. */
export const encodeProgress = () => finish(undefined, (_, writer) => text(writer, 3, new Uint8Array()));

/** Calls `field` for every field of a message; what it does not take is skipped. */
function read(bytes: Uint8Array, field: (number: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag();
    if (!field(no, reader)) reader.skip(wireType, no);
  }
}

const utf8 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");

function decodeHeader(bytes: Uint8Array): Header {
  let [clusterId, revision] = ["", 0];
  read(bytes, (no, reader) => {
    if (no === 1) clusterId = reader.uint64().toString();
    else if (no === 3) revision = Number(reader.int64());
    else return false;
    return true;
  });
  return { clusterId, revision };
}

function decodeKeyValue(bytes: Uint8Array): KeyValue {
  let key = "";
  let modRevision = 0;
  let value: Uint8Array = new Uint8Array();
  read(bytes, (no, reader) => {
    if (no === 1) key = utf8(reader.bytes());
    else if (no === 3) modRevision = Number(reader.int64());
    else if (no === 5) value = reader.bytes();
    else return false;
    return true;
  });
  return { key, modRevision, value };
}

const NO_HEADER: Header = { clusterId: "", revision: 0 };

export function decodeRange(bytes: Uint8Array): RangeResponse {
  let header = NO_HEADER;
  let more = false;
  const kvs: KeyValue[] = [];
  read(bytes, (no, reader) => {
    if (no === 1) header = decodeHeader(reader.bytes());
    else if (no === 2) kvs.push(decodeKeyValue(reader.bytes()));
    else if (no === 3) more = reader.bool();
    else return false;
    return true;
  });
  return { header, kvs, more };
}

export function decodeTxn(bytes: Uint8Array): TxnResponse {
  let header = NO_HEADER;
  let succeeded = false;
  const kvs: KeyValue[] = [];
  read(bytes, (no, reader) => {
    if (no === 1) header = decodeHeader(reader.bytes());
    else if (no === 2) succeeded = reader.bool();
    else if (no === 3) kvs.push(...decodeResponseOp(reader.bytes()));
    else return false;
    return true;
  });
  return { header, succeeded, kvs };
}

function decodeResponseOp(bytes: Uint8Array): readonly KeyValue[] {
  const kvs: KeyValue[] = [];
  read(bytes, (no, reader) => {
    if (no !== 1) return false;
    kvs.push(...decodeRange(reader.bytes()).kvs);
    return true;
  });
  return kvs;
}

function decodeEvent(bytes: Uint8Array): WatchEvent {
  let type: WatchEvent["type"] = "put";
  let kv: KeyValue = { key: "", modRevision: 0, value: new Uint8Array() };
  read(bytes, (no, reader) => {
    if (no === 1) type = reader.int32() === 1 ? "removed" : "put";
    else if (no === 2) kv = decodeKeyValue(reader.bytes());
    else return false;
    return true;
  });
  return { type, kv };
}

export function decodeWatch(bytes: Uint8Array): WatchResponse {
  let [header, created, canceled, fragment] = [NO_HEADER, false, false, false];
  let [compactRevision, cancelReason] = [0, ""];
  const events: WatchEvent[] = [];
  read(bytes, (no, reader) => {
    if (no === 1) header = decodeHeader(reader.bytes());
    else if (no === 3) created = reader.bool();
    else if (no === 4) canceled = reader.bool();
    else if (no === 5) compactRevision = Number(reader.int64());
    else if (no === 6) cancelReason = reader.string();
    else if (no === 7) fragment = reader.bool();
    else if (no === 11) events.push(decodeEvent(reader.bytes()));
    else return false;
    return true;
  });
  return { header, created, canceled, compactRevision, cancelReason, fragment, events };
}

/** Whether a member that has sent this StatusResponse knows who leads etcd (field 4: the leader's ID, 0 = nobody). */
export function decodeKnowsLeader(bytes: Uint8Array): boolean {
  let knows = false;
  read(bytes, (no, reader) => {
    if (no !== 4) return false;
    knows = String(reader.uint64()) !== "0";
    return true;
  });
  return knows;
}

/** The second field of an AuthenticateResponse and of a StatusResponse: the token, the version. */
export function decodeSecondText(bytes: Uint8Array): string {
  let found = "";
  read(bytes, (no, reader) => {
    if (no !== 2) return false;
    found = reader.string();
    return true;
  });
  return found;
}
