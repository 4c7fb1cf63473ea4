import type { GraphApi } from './graph-api.ts';

/** Tells of every call besides sending, before it is made: the app's calls per second include them. */
export function countCalls(graph: GraphApi, onCall: () => void): GraphApi {
  const counted =
    <A extends unknown[], R>(call: (...args: A) => R) =>
    (...args: A): R => {
      onCall();
      return call(...args);
    };
  return {
    get: counted(graph.get),
    post: counted(graph.post),
    upload: counted(graph.upload),
    close: () => graph.close(),
  };
}
