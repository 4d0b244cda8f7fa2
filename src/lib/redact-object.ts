/** Stored objects without what is nobody's business: values of secrets, of config maps and of every environment variable go, names stay. */
import { looksSecret, REDACTED } from "./redact.ts";
import { redactCommand, redactWords } from "./redact-command.ts";

type Json = unknown;

/** Whole values that hold a whole object again, as it was applied. */
const COPIES = /last-applied-configuration$/;
/** Kinds whose `data` is what they are for. */
const VALUE_KINDS = ["Secret", "ConfigMap"];
const VALUE_FIELDS = ["data", "stringData", "binaryData"];
/** Fields by these names say where a secret is, or what a selector selects: no secrets. */
const HARMLESS = /^(?:key|keys|session|tokens?|auth)$|(?:Name|Names|Ref|Refs|Id|Hash|At|Seconds)$/;
export function redactObject(object: Json): Json {
  const kind = isRecord(object) ? object.kind : undefined;
  const isValues = typeof kind === "string" && VALUE_KINDS.includes(kind);
  return isRecord(object) ? redactRecord(object, isValues) : redactValue(object);
}

function redactRecord(record: Readonly<Record<string, Json>>, isValues = false): Json {
  if (isUnitOption(record)) return { ...record, value: redactOption(record.name, record.value) };
  if (isNamedSecret(record)) return { ...record, value: REDACTED };
  const hints = hintsOf(record);
  const entries = Object.entries(record).map(([name, value]): [string, Json] => {
    if (isValues && VALUE_FIELDS.includes(name)) return [name, withoutValues(value)];
    return [name, redactField(name, value, hints)];
  });
  return Object.fromEntries(entries);
}

function redactField(name: string, value: Json, hints: readonly string[]): Json {
  if (name === "env" || name === "environment") return redactEnvironment(value);
  // A probe's: whatever they are called, what they say is for the workload alone.
  if (name === "httpHeaders") return redactEnvironment(value);
  if (name === "args" && Array.isArray(value)) return redactList(value, hints);
  if (COPIES.test(name)) return REDACTED;
  if (typeof value === "string" && looksSecret(name) && !HARMLESS.test(name)) return REDACTED;
  return redactValue(value);
}

function redactValue(value: Json): Json {
  if (typeof value === "string") return redactCommand(value);
  if (Array.isArray(value)) return redactList(value);
  return isRecord(value) ? redactObject(value) : value;
}

function redactList(values: readonly Json[], hints: readonly string[] = []): readonly Json[] {
  const isWords = values.every((value) => typeof value === "string");
  return isWords ? redactWords(values, hints) : values.map(redactValue);
}

/** Which program gets the arguments of a container. */
function hintsOf({ image, command }: Readonly<Record<string, Json>>): readonly string[] {
  const words = [image, ...(Array.isArray(command) ? command : [])];
  return words.filter((word) => typeof word === "string");
}

/** Kubernetes' list of names and values, or Marathon's map of them. What points at a secret stays. */
function redactEnvironment(value: Json): Json {
  if (Array.isArray(value))
    return value.map((one) => (isRecord(one) && "value" in one ? { ...one, value: REDACTED } : one));
  return withoutValues(value);
}

function withoutValues(value: Json): Json {
  if (!isRecord(value)) return value === undefined ? undefined : REDACTED;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, isRecord(one) ? one : REDACTED]));
}

/** `{ name: "Authorization", value: … }`, as lists have it, and `{ key: "env", value: … }` of Docker's parameters. */
function isNamedSecret({ name, key, value }: Readonly<Record<string, Json>>): boolean {
  const called = name ?? key;
  if (typeof called !== "string" || typeof value !== "string") return false;
  return called === "env" || called === "e" || looksSecret(called);
}

function isUnitOption(
  record: Readonly<Record<string, Json>>,
): record is { name: string; value: string } & Record<string, Json> {
  return typeof record.section === "string" && typeof record.name === "string" && typeof record.value === "string";
}

function redactOption(name: string, value: string): Json {
  if (/^(?:Environment|SetCredential\w*|PassEnvironment)$/.test(name)) return value.replace(/=.*$/s, `=${REDACTED}`);
  return redactValue(value);
}

function isRecord(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
