/**
 * fleet keeps continued lines raw; systemd joins them: a line that ends in a backslash goes on, the backslash becoming a
 * space; blanks at the beginning of the next line go, and comment lines between are left out. Source: conf-parser.c config_parse().
 */
export function joinLines(value: string): { readonly text: string; readonly leftOver?: string } {
  const lines = value.split("\n");
  let text = "";
  for (const [at, line] of lines.entries()) {
    const content = at === 0 ? line : line.replace(/^[ \t\r]+/, "");
    if (at > 0 && /^[#;]/.test(content)) continue;
    const backslashes = /\\*$/.exec(content)?.[0].length ?? 0;
    if (backslashes % 2 === 1) {
      text += `${content.slice(0, -1)} `;
      continue;
    }
    text += content;
    // For fleet an even number of backslashes continues a line too; for systemd what follows is a line of its own.
    const leftOver = lines
      .slice(at + 1)
      .join("\n")
      .trim();
    return { text: text.trim(), ...(leftOver === "" ? {} : { leftOver }) };
  }
  return { text: text.trim() };
}
