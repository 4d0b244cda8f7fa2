import { humanBytes } from "../../lib/quantity.ts";
import type { Check } from "../check.ts";

const LEAST_BYTES = 512 * 1024 ** 2;

export const memory: Check = ({ memoryBytes }) => {
  const ok = memoryBytes >= LEAST_BYTES;
  const message = `the host has ${humanBytes(memoryBytes)} of memory`;
  return {
    name: "memory",
    ok,
    message,
    ...(ok ? {} : { fix: "the program and a Docker Engine want 512 MiB between them" }),
  };
};
