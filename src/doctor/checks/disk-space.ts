import { humanBytes } from "../../lib/quantity.ts";
import type { Check } from "../check.ts";

const LEAST_BYTES = 1024 ** 3;

export const diskSpace: Check = ({ freeStateBytes }) => {
  const ok = freeStateBytes >= LEAST_BYTES;
  const message = `${humanBytes(freeStateBytes)} are free where state lies`;
  return {
    name: "disk-space",
    ok,
    message,
    ...(ok ? {} : { fix: "free some space, or choose another place with --state" }),
  };
};
