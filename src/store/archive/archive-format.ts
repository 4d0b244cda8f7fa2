/**
 * A backup file: gzip of lines of JSON. First the header; then one line per row, by kind and key; last the trailer, with
 * the number of rows, the SHA-256 of every byte before it, and an HMAC of that with the master key: only who has that key
 * can have written it. Rows of sealed kinds stay sealed; the keyring is a row like
 * others, and is of no use without the master key, which is not in the file.
 */
export const ARCHIVE_FORMAT = "styrmann-backup";
export const ARCHIVE_VERSION = 1;

export interface ArchiveHeader {
  readonly format: typeof ARCHIVE_FORMAT;
  readonly formatVersion: number;
  /** Absent for a store that has no cluster's trust in it. */
  readonly clusterId?: string;
  /** All rows are as of this revision. */
  readonly revision: number;
  /** RFC 3339. */
  readonly time: string;
  /** Of the program that wrote it. */
  readonly version: string;
  readonly rows: number;
  /** The CA that signed then: a control plane restored from it has that one. Absent in files of early versions. */
  readonly ca?: { readonly hash: string; readonly madeAt: string };
  /** Which master key opens it; absent when nothing in it is sealed. */
  readonly masterKey?: string;
}

export interface ArchiveRow {
  readonly kind: string;
  readonly key: string;
  readonly revision: number;
  /** As in the journal. */
  readonly json: string;
}

export interface ArchiveTrailer {
  readonly end: true;
  readonly rows: number;
  /** In hex. */
  readonly sha256: string;
  /** HMAC with the master key over the digest, in hex; absent in backups of before. */
  readonly mac?: string;
}

/** It cannot be used, and why, in words. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
}
