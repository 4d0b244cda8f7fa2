/** Numbers of RFC 1035, 2782, 3596, 6891 and 8482. */
export const TYPE = {
  ...{ A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33 },
  ...{ OPT: 41, IXFR: 251, AXFR: 252, ANY: 255 },
} as const;

export const CLASS = { IN: 1, ANY: 255 } as const;

export const RCODE = { ok: 0, formatError: 1, serverFailure: 2, noSuchName: 3, notImplemented: 4, refused: 5 } as const;

/** RFC 6891: "bad version", of which the low four bits are in the header. */
export const BAD_VERSION = 16;

export const HEADER_BYTES = 12;
/** What every resolver takes by UDP (RFC 1035, 4.2.1). */
export const LEAST_UDP_BYTES = 512;
/** What passes every link without fragments: dnsflagday.net/2020. */
export const MOST_UDP_BYTES = 1232;
export const MOST_TCP_BYTES = 65_535;

export const FLAG = {
  response: 0x8000,
  opcode: 0x7800,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  checkingDisabled: 0x0010,
} as const;
