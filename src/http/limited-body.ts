import { ApiError } from "../model/errors.ts";

/** Of one object or one batch; Kubernetes stops at 3 MiB, Marathon's groups grow larger. */
export const LARGEST_BODY_BYTES = 16 * 1024 * 1024;

/** The request with a body that ends in TooLarge past the limit; thrown at once when the client announces as much. */
export function withLimitedBody(request: Request, mostBytes = LARGEST_BODY_BYTES): Request {
  const announced = request.headers.get("Content-Length");
  if (announced !== null) {
    if (Number(announced) > mostBytes) throw tooLarge(`the body has ${announced} bytes`, mostBytes);
    // The HTTP parser reads no more than was announced.
    return request;
  }
  // Only a body in chunks has no length; most requests have none at all, and are passed on as they are.
  if (!request.headers.has("Transfer-Encoding") || !request.body) return request;
  const { url, method, headers, signal } = request;
  const body = request.body.pipeThrough(upToLimit(mostBytes));
  return new Request(url, { method, headers, signal, body, duplex: "half" });
}

function upToLimit(mostBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.byteLength;
      if (size > mostBytes) throw tooLarge("the body does not end", mostBytes);
      controller.enqueue(chunk);
    },
  });
}

function tooLarge(what: string, mostBytes: number): ApiError {
  if (mostBytes < LARGEST_BODY_BYTES)
    return new ApiError("TooLarge", `${what}; the limit is ${mostBytes / 1024} KiB here`);
  const limit = `${mostBytes / 2 ** 20} MiB`;
  return new ApiError("TooLarge", `${what}; the limit is ${limit}. Send the objects in several requests`);
}
