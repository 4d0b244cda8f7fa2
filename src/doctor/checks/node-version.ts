import type { Check } from "../check.ts";

export const nodeVersion: Check = ({ nodeMajor }) => {
  const ok = nodeMajor >= 24;
  const message = `the program runs on Node ${nodeMajor}`;
  return {
    name: "node-version",
    ok,
    message,
    ...(ok ? {} : { fix: "start it through npm (npx styr), which brings Node 24" }),
  };
};
