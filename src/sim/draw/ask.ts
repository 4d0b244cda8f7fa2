/** A user who does not give up at the first failure. */
import type { SimRequest, SimResponse, World } from "../contract.ts";

const TRIES = 5;
const PAUSE_MS = 2_000;

/** Asks again when no answer came or the control plane could not: what was asked for may then be done twice, as with people. */
export async function insist(world: World, request: SimRequest, tries = TRIES): Promise<SimResponse> {
  let answer: SimResponse = { status: 0, text: "" };
  for (let i = 0; i < tries; i++) {
    if (i > 0) await world.clock.sleep(PAUSE_MS);
    answer = await world.request(request);
    if (!isPassing(answer.status)) return answer;
  }
  return answer;
}

/** No answer, too many at once, or not able to write now. */
function isPassing(status: number): boolean {
  return status === 0 || status === 429 || status >= 500;
}
