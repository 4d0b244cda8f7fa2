import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export interface CertificateFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A CA and one certificate of it for 127.0.0.1, of a server and of a client; `name` is its CN. PEM files, by openssl. */
export function makeCertificates(dir: string, name: string, ca = `${name}-ca`): CertificateFiles {
  const file = (end: string) => join(dir, end);
  const openssl = (...words: string[]) => execFileSync("openssl", words, { stdio: ["ignore", "ignore", "pipe"] });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const made = { ca: file(`${ca}.crt`), cert: file(`${name}.crt`), key: file(`${name}.key`) };
  try {
    execFileSync("test", ["-e", made.ca]);
  } catch {
    openssl("req", "-x509", ...key, "-days", "2", "-subj", `/CN=${ca}`, "-keyout", file(`${ca}.key`), "-out", made.ca);
  }
  const extensions = file(`${name}.ext`);
  writeFileSync(extensions, "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n");
  const request = file(`${name}.csr`);
  openssl("req", ...key, "-subj", `/CN=${name}`, "-keyout", made.key, "-out", request);
  openssl(
    ...["x509", "-req", "-in", request, "-CA", made.ca, "-CAkey", file(`${ca}.key`), "-CAcreateserial"],
    ...["-days", "2", "-extfile", extensions, "-out", made.cert],
  );
  return made;
}
