import type { Check } from "../check.ts";

export const platform: Check = ({ platform, architecture }) => {
  const ok = platform === "linux" && ["x64", "arm64"].includes(architecture);
  const message = `this is ${platform} on ${architecture}`;
  return { name: "platform", ok, message, ...(ok ? {} : { fix: "run pods on Linux, x64 or arm64" }) };
};
