/**
 * Takes secrets out of text that people are going to read, send or keep: what looks like one by its form, wherever it stands.
 * No pattern crosses a double quote, so a line of JSON stays one.
 */
export const REDACTED = "[removed]";

const FORMS: readonly RegExp[] = [
  // Ours: the admin's (containers are called styr-…, too, in small letters), people's (their id is public), those of hosts that join.
  /\bstyr-(?=[\w-]*[A-Z])[\w-]{32}(?![\w-])/g,
  /(?<=\bstyr-u\.[a-z0-9]{4,32}\.)[\w-]{20,}/g,
  /(?<=\bstyr\d\.[a-z]+\.[a-z0-9]{4,32}\.)[\w-]{20,}(?:\.[\w-]+)*/g,
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[^"]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g,
  /\b(?:Bearer|Basic) +[A-Za-z0-9+/=._~-]{8,}/gi,
  // A JSON web token.
  /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*/g,
  /\b(?:ghp|gho|ghs|github_pat|glpat|xox[abprs]|sk_live|rk_live)[-_][A-Za-z0-9_-]{16,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
];

/**
 * A word, or what stands in quotes: single ones, or such as JSON writes inside of its strings. A backslash is taken with
 * what it escapes, or not at all.
 */
const VALUE = String.raw`(?!\[removed\])(?:\\"(?:(?!\\")[^"])*\\"|'[^'"]*'|(?:\\[^"nrt]|[^\s"'\\,;&[\]{}])+)`;

/** Its name stays, so that people see what was there. */
const NAMED: readonly (readonly [RegExp, string])[] = [
  // scheme://user:password@host
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/"':@]*):[^\s/"'@]+@/gi, `$1:${REDACTED}@`],
  // password=…, Password: …
  [
    new RegExp(
      String.raw`(\b[\w.-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|private[_-]?key|access[_-]?key|credential|authorization|signature)[\w.-]*\s*[=:]\s*)${VALUE}`,
      "gi",
    ),
    `$1${REDACTED}`,
  ],
  // DB_PASS=…, --auth=…: words that mean something else in a sentence.
  [new RegExp(`((?<![A-Za-z0-9])(?:pass|pwd|auth|cookie|sig|dsn|pin)=)${VALUE}`, "gi"), `$1${REDACTED}`],
  [new RegExp(String.raw`((?<=[\w.][_-]|[?&])(?:key|code|salt|session)=)${VALUE}`, "gi"), `$1${REDACTED}`],
  // --password …
  [
    new RegExp(
      String.raw`((?<![\w-])--?[\w-]*(?:password|passwd|passphrase|secret|token|api-?key|private-?key|access-?key|credential)(?![\w-])\s+)(?!-)${VALUE}`,
      "gi",
    ),
    `$1${REDACTED}`,
  ],
];

export function redactText(text: string): string {
  const formed = FORMS.reduce((all, form) => all.replace(form, REDACTED), text);
  return NAMED.reduce((all, [form, words]) => all.replace(form, words), formed);
}

const SECRET_NAME =
  /passw|passphrase|secret|token|credential|api[_-]?key|private[_-]?key|access[_-]?key|auth|cookie|session|signature|(?:^|[_-])(?:key|pwd|pass|pin|salt|dsn)(?:$|[_-])/i;

/** Whether what goes by this name is likely to be nobody's business: of an environment variable, a field, a file. */
export function looksSecret(name: string): boolean {
  return SECRET_NAME.test(name);
}
