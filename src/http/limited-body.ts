import { ApiError } from "../model/errors.ts";

/** Of one object or one batch; Kubernetes stops at 3 MiB, Marathon's groups grow larger. */
export const LARGEST_BODY_BYTES = 16 * 1024 * 1024;

/** The request with a body that ends in TooLarge past the limit; thrown at once when the client announces as much. */
export function withLimitedBody(request: Request): Request {
  const announced = request.headers.get("Content-Length");
  if (announced !== null) {
    if (Number(announced) > LARGEST_BODY_BYTES) throw tooLarge(`the body has ${announced} bytes`);
    // The HTTP parser reads no more than was announced.
    return request;
  }
  // Only a body in chunks has no length; most requests have none at all, and are passed on as they are.
  if (!request.headers.has("Transfer-Encoding") || !request.body) return request;
  const { url, method, headers, signal } = request;
  const body = request.body.pipeThrough(upToLimit());
  return new Request(url, { method, headers, signal, body, duplex: "half" });
}

function upToLimit(): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.byteLength;
      if (size > LARGEST_BODY_BYTES) throw tooLarge("the body does not end");
      controller.enqueue(chunk);
    },
  });
}

function tooLarge(what: string): ApiError {
  const limit = `${LARGEST_BODY_BYTES / 2 ** 20} MiB`;
  return new ApiError("TooLarge", `${what}; the limit is ${limit}. Send the objects in several requests`);
}
