/** A process that `npm start` runs. */
export interface ServiceEntry {
  name: string;
  /** Relative to the root. */
  folder: string;
  defaultPort: number;
  /** The variable that gives it another port. */
  portVariable: string;
}

/** The five services, front door first. */
export const services: readonly ServiceEntry[] = [
  { name: 'ingress', folder: 'services/ingress', defaultPort: 3000, portVariable: 'INGRESS_PORT' },
  {
    name: 'campaign-sender',
    folder: 'services/campaign-sender',
    defaultPort: 3001,
    portVariable: 'CAMPAIGN_SENDER_PORT',
  },
  {
    name: 'flow-engine',
    folder: 'services/flow-engine',
    defaultPort: 3002,
    portVariable: 'FLOW_ENGINE_PORT',
  },
  { name: 'notifier', folder: 'services/notifier', defaultPort: 3003, portVariable: 'NOTIFIER_PORT' },
  {
    name: 'metrics-exporter',
    folder: 'services/metrics-exporter',
    defaultPort: 5000,
    portVariable: 'METRICS_EXPORTER_PORT',
  },
];

/** The provider that stands in until there are real credentials. */
export const simulator: ServiceEntry = {
  name: 'simulator',
  folder: 'tools/simulator',
  defaultPort: 4000,
  portVariable: 'SIMULATOR_PORT',
};
