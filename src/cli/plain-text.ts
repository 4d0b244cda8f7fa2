/**
 * What a server, a unit file or a container says may hold escape sequences that would move the cursor, retitle the
 * window or make the terminal type. Control characters are shown as \xNN instead; so are the marks that reverse the
 * direction of text, with which a line can be made to read as another.
 */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const UNSAFE_BUT_LINES = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
/** Colours and weights (SGR), which change no more than looks. */
const SAFE_SEQUENCE = /(\u001b\[[0-9;:]{0,32}m)/;

/** Safe on one line of a terminal. */
export function plainText(text: string): string {
  return text.replace(UNSAFE, escapeCharacter);
}

/** Safe, with newlines and tabs kept. */
export function plainLines(text: string): string {
  return text.replace(UNSAFE_BUT_LINES, escapeCharacter);
}

/** A container's output for a terminal: tabs and colours stay, the rest cannot act. */
export function plainOutput(text: string): string {
  return text
    .split(SAFE_SEQUENCE)
    .map((part, at) => (at % 2 === 1 ? part : plainLines(part)))
    .join("");
}

/** JSON that is safe on a terminal and still the same JSON. */
export function plainJson(json: string): string {
  return json.replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}
