/** Pieces of a batch as they are staged in etcd: the entries one after another, in protobuf's wire format. */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { JournalEntry } from "../../journal.ts";

export function encodePiece(entries: readonly JournalEntry[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const { kind, key, revision, json } of entries) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(kind);
    writer.tag(2, WireType.LengthDelimited).string(key);
    writer.tag(3, WireType.Varint).int64(revision);
    if (json !== undefined) writer.tag(4, WireType.LengthDelimited).string(json);
    writer.join();
  }
  return writer.finish();
}

export function decodePiece(bytes: Uint8Array): readonly JournalEntry[] {
  const reader = new BinaryReader(bytes);
  const entries: JournalEntry[] = [];
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag();
    if (no === 1) entries.push(decodeEntry(reader.bytes()));
    else reader.skip(wireType, no);
  }
  return entries;
}

function decodeEntry(bytes: Uint8Array): JournalEntry {
  const reader = new BinaryReader(bytes);
  let [kind, key, revision] = ["", "", 0];
  let json: string | undefined;
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag();
    if (no === 1) kind = reader.string();
    else if (no === 2) key = reader.string();
    else if (no === 3) revision = Number(reader.int64());
    else if (no === 4) json = reader.string();
    else reader.skip(wireType, no);
  }
  return { kind, key, revision, json };
}
