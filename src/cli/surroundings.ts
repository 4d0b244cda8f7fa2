import { homedir, userInfo } from "node:os";
import type { Surroundings } from "../client/locations.ts";

/** Where this command looks for a server when none is named. */
export function surroundings(env: Surroundings["env"]): Surroundings {
  return { env, uid: process.geteuid?.() ?? userInfo().uid, home: env.HOME || homedir() };
}
