import type { Api } from '../create-api.ts';

interface Counts {
  entered: number;
  waiting: number;
  finished: number;
  dropped: number;
}

/** Shows how the runs of a flow fare, node by node. */
export async function showFunnel(
  api: Api,
  id: string,
  version: string | undefined,
  print: (line: string) => void,
): Promise<void> {
  const query = version === undefined ? '' : `?version=${encodeURIComponent(version)}`;
  const { nodes, ...flow } = await api.call<Counts & { nodes: (Counts & { node: string })[] }>(
    'GET',
    `/api/v1/flows/${encodeURIComponent(id)}/funnel${query}`,
  );
  print(
    `runs: ${flow.entered} entered, ${flow.waiting} waiting, ${flow.finished} finished, ${flow.dropped} dropped`,
  );
  const width = Math.max(4, ...nodes.map(({ node }) => node.length));
  for (const { node, entered, waiting, dropped } of nodes)
    print(`  ${node.padEnd(width)}  ${entered} times, ${waiting} wait here, ${dropped} dropped here`);
}
