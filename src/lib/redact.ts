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

/** `scheme://user:password@host` and `password=…`: the name stays, so that people see what was there. */
const NAMED: readonly (readonly [RegExp, string])[] = [
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/"':@]*):[^\s/"'@]+@/gi, `$1:${REDACTED}@`],
  [
    /(\b[\w.-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|private[_-]?key|credential)[\w.-]*\s*[=:]\s*)(?!\[removed\])[^\s"',;&[\]{}]+/gi,
    `$1${REDACTED}`,
  ],
];

export function redactText(text: string): string {
  const formed = FORMS.reduce((all, form) => all.replace(form, REDACTED), text);
  return NAMED.reduce((all, [form, words]) => all.replace(form, words), formed);
}

const SECRET_NAME =
  /passw|passphrase|secret|token|credential|api[_-]?key|private[_-]?key|access[_-]?key|auth|cookie|session|(?:^|[_-])(?:key|pwd|pass|pin|salt|dsn)(?:$|[_-])/i;

/** Whether what goes by this name is likely to be nobody's business: of an environment variable, a field, a file. */
export function looksSecret(name: string): boolean {
  return SECRET_NAME.test(name);
}
