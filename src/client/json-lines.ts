import type { IncomingMessage } from "node:http";

/** The values of a body that has one JSON value per line, as they come. */
export async function* readJsonLines<T>(body: IncomingMessage): AsyncGenerator<T, void, undefined> {
  body.setEncoding("utf8");
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + (chunk as string)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield JSON.parse(line) as T;
  }
  if (rest !== "") yield JSON.parse(rest) as T;
}
