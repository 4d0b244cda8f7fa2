/** RFC 8555, 8.3: base64url, and the thumbprint after a dot. */
export function challengeLine(token: string, answer: string): readonly (readonly [string, string])[] {
  const isFine = /^[A-Za-z0-9_-]{1,256}$/.test(token) && /^[A-Za-z0-9_.-]{1,600}$/.test(answer);
  return isFine ? [[`/.well-known/acme-challenge/${token}`, answer]] : [];
}
