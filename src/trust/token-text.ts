/**
 * A join token as people paste it: `styr1.ROLE.ID.SECRET.PIN.CHECK`, in characters that neither shells nor URLs touch.
 * SECRET has 192 bits of chance; PIN is the hash of the CA's public key, so that the host knows whom it talks to before it
 * says the secret; CHECK tells a token that was cut off or mistyped from a wrong one, before anything is sent.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

export type JoinRole = "agent" | "server";

export interface JoinTokenText {
  readonly role: JoinRole;
  /** Public: as `styr token list` shows it. */
  readonly id: string;
  readonly secret: string;
  /** SHA-256 of the CA's public key, in hex. */
  readonly pin: string;
}

const VERSION = "styr1";
const CHECK_LENGTH = 8;
const ID_LENGTH = 8;
/** 32 signs, so that every one is as likely: no l and o, no 0 and 1. */
const ID_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";
const ID = /^[a-z0-9]{4,32}$/;
const SECRET = /^[\w-]{32}$/;
const PIN = /^[\w-]{43}$/;

export function formatJoinToken({ role, id, secret, pin }: JoinTokenText): string {
  const body = [VERSION, role, id, secret, Buffer.from(pin, "hex").toString("base64url")].join(".");
  return `${body}.${checkOf(body)}`;
}

/** Throws an Error that says what is wrong with the text, and never repeats it: a secret may be in it. */
export function parseJoinToken(text: string): JoinTokenText {
  const pasted = text.trim();
  const parts = pasted.split(".");
  if (parts[0] !== VERSION) throw new Error(notAToken(pasted));
  const [, role, id = "", secret = "", pin = "", check = ""] = parts;
  const isWhole = parts.length === 6 && check.length === CHECK_LENGTH;
  if (!isWhole) throw new Error("the token is not whole: it was cut off when it was copied; copy the whole line again");
  if (check !== checkOf(parts.slice(0, 5).join(".")))
    throw new Error("the token was changed when it was copied (its checksum is wrong); copy the whole line again");
  if ((role !== "agent" && role !== "server") || !ID.test(id) || !SECRET.test(secret) || !PIN.test(pin))
    throw new Error("the token is of a form that this version does not know; use the version of styr that made it");
  return { role, id, secret, pin: Buffer.from(pin, "base64url").toString("hex") };
}

/** What the store keeps of a secret. Plain SHA-256 is enough: 192 bits of chance cannot be guessed. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

export function isSecretOf(secret: string, hash: string): boolean {
  const [given, known] = [Buffer.from(hashSecret(secret), "hex"), Buffer.from(hash, "hex")];
  return given.length === known.length && timingSafeEqual(given, known);
}

function checkOf(body: string): string {
  return createHash("sha256").update(body).digest("base64url").slice(0, CHECK_LENGTH);
}

function notAToken(text: string): string {
  const make = "make one on a server: styr token create --role agent";
  if (text.startsWith("styr-")) return `this is the token of a person, not one to join with; ${make}`;
  return `this is no join token: those begin with "${VERSION}."; ${make}`;
}

/** What only the host that joins is to know. */
export function newSecret(): string {
  return randomBytes(24).toString("base64url");
}

/** Public, short enough to be typed: `styr token revoke ID`. */
export function newTokenId(): string {
  return Array.from(randomBytes(ID_LENGTH), (byte) => ID_ALPHABET[byte % ID_ALPHABET.length]).join("");
}
