/** Command lines without the secrets in them: by the options that say so, and by those that mean it for certain programs only. */
import { looksSecret, REDACTED, redactText } from "./redact.ts";

/** One word as a shell reads it; never an option. */
const WORD = String.raw`(?!-)(?:"[^"]*"|'[^']*'|[^\s"'])+`;
const SAME_COMMAND = String.raw`[^|;&\n]*?\s`;

interface Program {
  readonly names: string;
  /** Whose next word is the secret, or the rest of the same word. */
  readonly options: readonly string[];
  readonly isJoined?: true;
}

/** What a short option is depends on the program. Source: their manual pages. */
const PROGRAMS: readonly Program[] = [
  { names: "mysql|mysqldump|mysqladmin|mysqlimport|mysqlshow|mariadb[\\w-]*|sshpass", options: ["-p"], isJoined: true },
  {
    names: "login|mongo|mongosh|mongodump|mongorestore|zip|unzip|7z|ldappasswd|sqlcmd|ipmitool",
    options: ["-p", "-P"],
  },
  { names: "redis-cli|valkey-cli|redis-benchmark", options: ["-a", "--pass"] },
  { names: "ldapsearch|ldapadd|ldapmodify", options: ["-w"] },
  { names: "curl|wget|http|https", options: ["-u", "-U", "--user", "--proxy-user"], isJoined: true },
];

const BY_PROGRAM: readonly RegExp[] = PROGRAMS.flatMap(({ names, options, isJoined }) => {
  const before = `(?:^|[\\s/"'(])(?:${names})(?=\\s)${SAME_COMMAND}`;
  return options.map((option) => {
    const between = option.startsWith("--") ? "[\\s=]+" : isJoined ? "\\s*" : "\\s+";
    return new RegExp(`(${before}${option}${between})${WORD}`, "gm");
  });
});
/** `--db-password hunter2`; with `=` it is redactText's. */
const BY_NAME = new RegExp(`((?:^|\\s)(--?[A-Za-z][\\w-]*)[\\s=]+)(${WORD})`, "gm");
/** `-e NAME=value`, `-eNAME=value` and `--env NAME=value`, as they are given to docker. */
const ENV_OPTION = /((?:^|\s)(?:-e[\s=]*|--env[\s=]+)"?'?[A-Za-z_]\w*=)(?:"[^"]*"|'[^']*'|[^\s"']+)/g;
/** JSON inside of text. */
const IN_JSON = /("([\w.-]+)"\s*:\s*)"(?:[^"\\]|\\.)*"/g;

export function redactCommand(text: string): string {
  const env = text.replace(ENV_OPTION, `$1${REDACTED}`);
  const json = env.replace(IN_JSON, (all, before, name) => (looksSecret(name) ? `${before}"${REDACTED}"` : all));
  const named = json.replace(BY_NAME, (all, before, name) => (looksSecret(name) ? `${before}${REDACTED}` : all));
  return redactText(repeated(named));
}

/** A command may have several of them: each look finds the first that is left. */
function repeated(text: string): string {
  return BY_PROGRAM.reduce((all, form) => all.replace(form, `$1${REDACTED}`), text);
}

/** The same of a list of words. `hints`: what else tells which program reads them, such as an image and an entry point. */
export function redactWords(words: readonly string[], hints: readonly string[] = []): readonly string[] {
  return words.map((word, at) => {
    const before = words[at - 1] ?? "";
    const programs = [...hints, ...words.slice(0, at)];
    if (/^--?[A-Za-z][\w-]*$/.test(before) && !/^-./.test(word)) {
      if (looksSecret(before) || isSecretOption(programs, before)) return REDACTED;
      if (/^(?:-e|--env)$/.test(before)) return word.replace(/=.*$/s, `=${REDACTED}`);
    }
    const joined = joinedOption(programs, word);
    return joined === undefined ? redactCommand(word) : `${joined}${REDACTED}`;
  });
}

function isSecretOption(programs: readonly string[], option: string): boolean {
  return PROGRAMS.some((program) => program.options.includes(option) && isAmong(program, programs));
}

/** `-psecret`, `--user=name:secret` */
function joinedOption(programs: readonly string[], word: string): string | undefined {
  for (const program of PROGRAMS) {
    const option = program.options.find((one) =>
      one.startsWith("--") ? word.startsWith(`${one}=`) : program.isJoined && word.startsWith(one) && word !== one,
    );
    if (option !== undefined && isAmong(program, programs)) return option.startsWith("--") ? `${option}=` : option;
  }
  return undefined;
}

/** A word, a path or an image: `mysql`, `/usr/bin/mysql`, `example.com/mysql:8`. */
function isAmong({ names }: Program, words: readonly string[]): boolean {
  const form = new RegExp(`^(?:\\S*/)?(?:${names})(?:[:@]\\S*)?$`);
  return words.some((word) => form.test(word));
}
