// Why there is no answer: what went wrong and what can be done. Pure.

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly what: string,
    readonly cure: string,
  ) {
    super(what);
    this.name = "ApiError";
  }
}

/** Any failure as an ApiError, so that it can be shown. */
export function asApiError(failure: unknown): ApiError {
  if (failure instanceof ApiError) return failure;
  const what = failure instanceof Error ? failure.message : String(failure);
  return new ApiError(0, "page", what, "Reload the page; if it happens again, report it.");
}
