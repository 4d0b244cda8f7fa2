import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

/** A certificate that nobody has signed, and its key. */
export function certificate(name: string, kind = CURVE): { readonly "tls.crt": string; readonly "tls.key": string } {
  const dir = mkdtempSync(join(tmpdir(), "styr-certificate-"));
  try {
    const [key, crt] = [join(dir, "key"), join(dir, "crt")];
    const words = [...kind, "-nodes", "-days", "3"];
    execFileSync("openssl", ["req", "-x509", ...words, "-keyout", key, "-out", crt, "-subj", `/CN=${name}`], {
      stdio: "ignore",
    });
    return { "tls.crt": readFileSync(crt, "utf8"), "tls.key": readFileSync(key, "utf8") };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
