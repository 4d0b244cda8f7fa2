/** Stored objects without what is nobody's business: values of secrets, of config maps and of every environment variable go, names stay. */
import { looksSecret, REDACTED, redactText } from "./redact.ts";

type Json = unknown;

/** Whole values that hold a whole object again, as it was applied. */
const COPIES = /last-applied-configuration$/;
/** Kinds whose `data` is what they are for. */
const VALUE_KINDS = ["Secret", "ConfigMap"];
const VALUE_FIELDS = ["data", "stringData", "binaryData"];
/** Fields by these names say where a secret is, or what a selector selects: no secrets. */
const HARMLESS = /^(?:key|keys|session|tokens?|auth)$|(?:Name|Names|Ref|Refs|Id|Hash|At|Seconds)$/;
/** `-e NAME=value` and `--env NAME=value`, in one word or two, as units give them to docker. */
const ENV_OPTION = /((?:^|\s)(?:-e|--env)[\s=]+"?'?[A-Za-z_]\w*=)(?:"[^"]*"|'[^']*'|[^\s"']+)/g;

export function redactObject(object: Json): Json {
  const kind = isRecord(object) ? object.kind : undefined;
  const isValues = typeof kind === "string" && VALUE_KINDS.includes(kind);
  return isRecord(object) ? redactRecord(object, isValues) : redactValue(object);
}

function redactRecord(record: Readonly<Record<string, Json>>, isValues = false): Json {
  if (isUnitOption(record)) return { ...record, value: redactOption(record.name, record.value) };
  const entries = Object.entries(record).map(([name, value]): [string, Json] => {
    if (isValues && VALUE_FIELDS.includes(name)) return [name, withoutValues(value)];
    return [name, redactField(name, value)];
  });
  return Object.fromEntries(entries);
}

function redactField(name: string, value: Json): Json {
  if (name === "env" || name === "environment") return redactEnvironment(value);
  if (COPIES.test(name)) return REDACTED;
  if (typeof value === "string" && looksSecret(name) && !HARMLESS.test(name)) return REDACTED;
  return redactValue(value);
}

function redactValue(value: Json): Json {
  if (typeof value === "string") return redactText(value.replace(ENV_OPTION, `$1${REDACTED}`));
  if (Array.isArray(value)) return redactWords(value);
  return isRecord(value) ? redactObject(value) : value;
}

/** `["--password", "hunter2"]`: what follows an option that names a secret. */
function redactWords(words: readonly Json[]): readonly Json[] {
  return words.map((word, at) => {
    const before = words[at - 1];
    const follows = typeof before === "string" && /^--?[\w-]+$/.test(before);
    if (typeof word !== "string" || !follows) return redactValue(word);
    if (looksSecret(before)) return REDACTED;
    return /^(?:-e|--env)$/.test(before) ? word.replace(/=.*$/s, `=${REDACTED}`) : redactValue(word);
  });
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
