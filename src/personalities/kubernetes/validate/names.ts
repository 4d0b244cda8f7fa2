/** Kubernetes' rules for names, with its words. Source: k8s.io/apimachinery/pkg/util/validation. Each gives the sentences that say what is wrong, or none. */

const LABEL_MESSAGE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_MESSAGE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const WILDCARD_MESSAGE =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_1035_MESSAGE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE_MESSAGE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const QUALIFIED_NAME_MESSAGE =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const CONFIG_KEY_MESSAGE =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const ENV_NAME_MESSAGE =
  "a valid environment variable name must consist only of printable ASCII characters other than '='";

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

type NameRule = (name: string) => readonly string[];

export const dnsLabel: NameRule = (name) => ruled(name, 63, LABEL.test(name), LABEL_MESSAGE);

export const dns1035Label: NameRule = (name) => ruled(name, 63, LABEL_1035.test(name), LABEL_1035_MESSAGE);

export const dnsSubdomain: NameRule = (name) =>
  // Label by label, so that no text makes the pattern look at it more than once.
  ruled(name, 253, name.length <= 253 && name.split(".").every((part) => LABEL.test(part)), SUBDOMAIN_MESSAGE);

/** `*.example.org`: one label stands for any. */
export const wildcardDomain: NameRule = (name) => {
  const rest = name.startsWith("*.") ? name.slice(2) : "";
  return ruled(name, 253, rest !== "" && rest.split(".").every((part) => LABEL.test(part)), WILDCARD_MESSAGE);
};

export const labelValue: NameRule = (value) =>
  ruled(value, 63, value === "" || QUALIFIED.test(value), LABEL_VALUE_MESSAGE);

export const configKey: NameRule = (key) => {
  if (key === ".") return ["must not be '.'"];
  if (key.startsWith("..")) return ["must not start with '..'"];
  return ruled(key, 253, /^[-._a-zA-Z0-9]+$/.test(key), CONFIG_KEY_MESSAGE);
};

export const envName: NameRule = (name) => (/^[ -<>-~]+$/.test(name) ? [] : [ENV_NAME_MESSAGE]);

/** `prefix/name` or `name`, as keys of labels and annotations are. */
export const qualifiedName: NameRule = (key) => {
  const parts = key.split("/");
  if (parts.length > 2) {
    return [
      `a qualified name ${QUALIFIED_NAME_MESSAGE.replace("name part ", "")} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const name = parts.at(-1) ?? "";
  const prefix = parts.length === 2 ? (parts[0] ?? "") : undefined;
  const problems: string[] = [];
  if (prefix === "") problems.push("prefix part must be non-empty");
  else if (prefix !== undefined) problems.push(...dnsSubdomain(prefix).map((text) => `prefix part ${text}`));
  if (name === "") problems.push("name part must be non-empty");
  else if (name.length > 63) problems.push("name part must be no more than 63 characters");
  if (!QUALIFIED.test(name)) problems.push(QUALIFIED_NAME_MESSAGE);
  return problems;
};

/** IANA_SVC_NAME, as names of container ports are. */
export const portName: NameRule = (name) => {
  const problems: string[] = [];
  if (name.length > 15) problems.push("must be no more than 15 characters");
  if (!/^[-a-z0-9]+$/.test(name)) {
    problems.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(name)) problems.push("must contain at least one letter (a-z)");
  if (name.includes("--")) problems.push("must not contain consecutive hyphens");
  if (name.startsWith("-") || name.endsWith("-")) problems.push("must not begin or end with a hyphen");
  return problems;
};

function ruled(text: string, most: number, matches: boolean, message: string): readonly string[] {
  return [...(text.length > most ? [`must be no more than ${most} characters`] : []), ...(matches ? [] : [message])];
}
