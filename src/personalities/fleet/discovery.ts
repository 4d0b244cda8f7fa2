import { readFileSync } from "node:fs";

/** fleet's schema/v1.json, byte for byte: clients generated from it compare it. Not named .json, so that no formatter touches it. */
export const DISCOVERY: string = readFileSync(new URL("./discovery-v1.json.txt", import.meta.url), "utf8");
