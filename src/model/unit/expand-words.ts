/** Environment variables in command lines, systemd's way. Source: systemd src/basic/env-util.c replace_env_argv(). */
import { splitWords } from "./words.ts";

export type Variables = Readonly<Record<string, string>>;

/**
 * `$NAME` as a word of its own becomes the words of its value (none when unset), `${NAME}` inside a word its value as it is,
 * `$$` a dollar sign. Anything else stays, so that a shell in the command can expand it itself.
 */
export function expandWords(words: readonly string[], variables: Variables): readonly string[] {
  return words.flatMap((word) => {
    if (!/^\$(?![{$])./s.test(word)) return [expandBraces(word, variables)];
    const value = Object.hasOwn(variables, word.slice(1)) ? variables[word.slice(1)] : undefined;
    return value === undefined ? [] : splitWords(value, { unescape: false, relaxed: true }).words;
  });
}

function expandBraces(word: string, variables: Variables): string {
  return word.replace(/\$\$|\$\{([^}]*)\}/g, (written, name: string | undefined) => {
    if (name === undefined) return "$";
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return written;
    return Object.hasOwn(variables, name) ? (variables[name] ?? "") : "";
  });
}
