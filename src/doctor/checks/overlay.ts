import type { Check } from "../check.ts";

export const overlay: Check = ({ filesystems }) =>
  filesystems.includes("overlay")
    ? { name: "overlay", ok: true, message: "the kernel has the overlay file system" }
    : {
        ...{
          name: "overlay",
          ok: false,
          message: "the kernel does not list the overlay file system: Docker falls back to slow copies",
        },
        fix: "modprobe overlay",
      };
