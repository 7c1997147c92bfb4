/** Waits that grow from 0.4 s to 10 s with jitter, and end at once when the browser comes back online. */
export class Backoff {
  constructor() {
    this.failures = 0;
  }

  reset() {
    this.failures = 0;
  }

  /** Waits after a failure, at least `atLeast` seconds; returns early on `online` or abort. */
  wait(signal, atLeast = 0) {
    const grown = Math.min(10_000, 400 * 2 ** this.failures++);
    const delay = Math.max(atLeast * 1000, grown * (0.7 + Math.random() * 0.6));
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        removeEventListener("online", finish);
        signal?.removeEventListener("abort", finish);
        resolve();
      };
      const timer = setTimeout(finish, delay);
      addEventListener("online", finish);
      signal?.addEventListener("abort", finish);
      if (signal?.aborted) finish();
    });
  }
}
