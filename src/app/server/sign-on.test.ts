import assert from "node:assert/strict";
import { test } from "node:test";
import { SystemClock } from "../../seams/clock.ts";
import { silentLog } from "../../seams/log.ts";
import type { Life } from "./life.ts";
import { keepSigningOn, signOff } from "./sign-on.ts";

test("an answer of the leader that breaks off, or none at all, is asked for again and ends nothing", async () => {
  const stopping = new AbortController();
  const asked: string[] = [];
  const mounted = {
    handle: async ({ url }: Request) => {
      asked.push(url);
      if (asked.length > 1) stopping.abort();
      if (asked.length > 1) throw new Error("no plane to serve it");
      const broken = new ReadableStream({ start: (body) => body.error(new Error("another server leads now")) });
      return new Response(broken, { status: 503 });
    },
  };
  const life = { mounted, plane: { revision: 7 } } as unknown as Life;
  let sleeps = 0;
  const clock = Object.assign(new SystemClock(), { sleep: async () => void sleeps++ });
  const said: string[] = [];
  const io = { say: (line: string) => void said.push(line), signal: stopping.signal };
  const process = { name: "s1", version: "0.1.0", clock, log: silentLog, io } as unknown as Parameters<
    typeof keepSigningOn
  >[0];
  await keepSigningOn(process, "https://s1:7443", life, stopping.signal);
  assert.equal(asked.length, 2);
  assert.deepEqual(said, [], "it passes by itself");
});

test("a server that stops tells whoever leads, itself excepted, and does not wait for one that does not answer", async () => {
  const asked: string[] = [];
  const mounted = {
    handle: ({ method, url }: Request, { actor }: { actor: { name: string } }) => {
      asked.push(`${method} ${url} ${actor.name}`);
      return new Promise<Response>(() => {});
    },
  };
  const clock = Object.assign(new SystemClock(), { sleep: async () => {} });
  const process = { name: "s1", clock, log: silentLog } as unknown as Parameters<typeof signOff>[0];
  const life = (leads: boolean) => ({ mounted, plane: { leads } }) as unknown as Life;
  await signOff(process, "https://s1:7443", life(true));
  assert.deepEqual(asked, []);
  await signOff(process, "https://s1:7443", life(false));
  assert.deepEqual(asked, ["POST https://s1:7443/styr/v1/servers/s1/goodbye s1"]);
});
