import { readFileSync } from "node:fs";

/** fleet's schema/v1.json, byte for byte: clients generated from it compare it. */
export const DISCOVERY: string = readFileSync(new URL("./discovery-v1.json", import.meta.url), "utf8");
