/** What answers are made of. Addresses are numbers, because there may be tens of thousands of them. */
export type RecordData =
  | { readonly type: "A"; readonly address: number }
  | { readonly type: "CNAME" | "PTR" | "NS"; readonly target: string }
  | { readonly type: "SRV"; readonly target: string; readonly port: number }
  | { readonly type: "TXT"; readonly text: string }
  | { readonly type: "SOA"; readonly server: string; readonly serial: number; readonly negativeSeconds: number }
  /** As another server gave it; names within it are written out. */
  | { readonly type: "raw"; readonly number: number; readonly bytes: Buffer };

export interface ResourceRecord {
  readonly name: string;
  readonly ttlSeconds: number;
  readonly data: RecordData;
}
