export * from './definitions/check-definition.ts';
export {
  type KnownTemplate,
  type KnownTemplates,
  messageTemplatesNamedBy,
} from './definitions/checks/message-templates.ts';
export { templatesOf } from './definitions/checks/templates.ts';
export * from './definitions/definition.ts';
export * from './definitions/edges.ts';
export * from './execution/advance-run.ts';
export { NodeError } from './execution/behaviour.ts';
export * from './execution/call.ts';
export * from './execution/check-answer.ts';
export * from './execution/cut-history.ts';
export * from './execution/evaluate-condition.ts';
export { isTimeZone, nextCronTime } from './execution/local-time.ts';
export * from './execution/look-up.ts';
export { mergeMessages } from './execution/merge-messages.ts';
export * from './execution/render-text.ts';
export * from './execution/run-state.ts';
export { secretsOf } from './execution/stand-ins.ts';
export { takeInputs } from './execution/take-inputs.ts';
export { flowLibrary } from './library/index.ts';
export { buildReadyMade, type ReadyMadeFlow, type SettingProblem } from './library/ready-made.ts';
export * from './library/welcome-flow.ts';
export { drawGraph, type Graph } from './pictures/draw-graph.ts';
export { toMermaid } from './pictures/to-mermaid.ts';
export { toSvg } from './pictures/to-svg.ts';
export { Conversation, type TranscriptLine } from './simulation/conversation.ts';
export { ScriptedAnswer, ScriptLine } from './simulation/script.ts';
export { type Simulation, type SimulationOptions, simulateFlow } from './simulation/simulate-flow.ts';
export { FlowTest, FlowTestFile } from './testing/flow-test.ts';
export { type FlowTestResult, type ResultLine, runFlowTest } from './testing/run-flow-test.ts';
export * from './triggers/match-trigger.ts';
