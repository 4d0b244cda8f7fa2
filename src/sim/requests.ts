import type { Clock } from "../seams/clock.ts";
import type { SimRequest, SimResponse } from "./contract.ts";
import type { Ground } from "./ground.ts";
import type { Party } from "./sim-links.ts";
import { ORIGIN, SERVER, type Server } from "./sim-server.ts";

/** What a client waits for an answer. */
const PATIENCE_MS = 30_000;
const NO_ANSWER: SimResponse = { status: 0, text: "" };

/** One request of a user over the network; status 0 when no answer came back. */
export function ask(
  request: SimRequest,
  { wires, trace, observers }: Ground,
  server: Server,
  user: Party,
  clock: Clock,
): Promise<SimResponse> {
  const there = { lastAtMs: 0 };
  const back = { lastAtMs: 0 };
  observers.tell((observer) => observer.asked?.(request));
  return new Promise((resolve) => {
    let isAnswered = false;
    const answer = (response: SimResponse) => {
      if (isAnswered) return;
      isAnswered = true;
      timeout.cancel();
      const { as = "admin", method, path } = request;
      trace.add("answer", `${as} ${method} ${path} ${response.status} ${response.text}`, () => {
        return `${as} ${method} ${path} -> ${response.status === 0 ? "no answer" : response.status}`;
      });
      if (response.status !== 0) observers.tell((observer) => observer.answered?.(request, response));
      resolve(response);
    };
    const timeout = clock.setTimer(PATIENCE_MS, () => answer(NO_ANSWER));
    const send = (response: SimResponse) => wires.signal(SERVER, user.host, back, () => answer(response));
    wires.signal(user.host, SERVER, there, () => {
      if (!server.isUp) return send(NO_ANSWER);
      void serve(request, server).then(send);
    });
  });
}

async function serve(request: SimRequest, server: Server): Promise<SimResponse> {
  const { life } = server;
  const response = await server.handle(requestOf(request), request.as);
  const text = await response.text();
  return life?.isOver ? new Promise(() => {}) : { status: response.status, text };
}

function requestOf({ method, path, body, headers }: SimRequest): Request {
  const hasBody = body !== undefined;
  return new Request(`${ORIGIN}${path}`, {
    method,
    headers: { ...(hasBody ? { "Content-Type": "application/json" } : {}), ...headers },
    ...(hasBody ? { body: typeof body === "string" ? body : JSON.stringify(body) } : {}),
  });
}
