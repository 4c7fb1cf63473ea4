import Type, { type Static } from 'typebox';

/** A business phone number and the account it belongs to, as they can be given. */
export const NumberInput = Type.Object(
  {
    id: Type.String({ minLength: 1, description: 'phone_number_id' }),
    businessAccountId: Type.Optional(Type.String({ minLength: 1 })),
    displayPhoneNumber: Type.Optional(Type.String({ minLength: 1 })),
    verifiedName: Type.Optional(Type.String()),
    /** STANDARD: 80 messages per second; HIGH: 1000; NOT_APPLICABLE: not registered. */
    throughputLevel: Type.Optional(
      Type.Union([Type.Literal('STANDARD'), Type.Literal('HIGH'), Type.Literal('NOT_APPLICABLE')]),
    ),
    qualityRating: Type.Optional(
      Type.Union([
        Type.Literal('GREEN'),
        Type.Literal('YELLOW'),
        Type.Literal('RED'),
        Type.Literal('UNKNOWN'),
      ]),
    ),
    messagingLimitTier: Type.Optional(Type.String()),
    /** What `health_status` says. */
    canSendMessage: Type.Optional(
      Type.Union([Type.Literal('AVAILABLE'), Type.Literal('LIMITED'), Type.Literal('BLOCKED')]),
    ),
    /** CONNECTED, FLAGGED, RESTRICTED … */
    status: Type.Optional(Type.String({ minLength: 1 })),
    /** Also used on a phone: coexistence. */
    isOnBizApp: Type.Optional(Type.Boolean()),
    accessToken: Type.Optional(Type.String({ minLength: 1 })),
  },
  { additionalProperties: false },
);
export type NumberInput = Static<typeof NumberInput>;

/** A business phone number. */
export type BusinessNumber = Required<NumberInput> & {
  /** The display number's digits. */
  digits: string;
  /** `metadata` of every webhook of this number, as JSON. */
  metadataJson: string;
};

/** The numbers that this simulator serves. */
export interface Numbers {
  get(id: string): BusinessNumber | undefined;
  /** Adds a number, or changes what the input names. */
  put(input: NumberInput): BusinessNumber;
  /** The number to use where none is named. */
  first(): BusinessNumber;
  ofAccount(businessAccountId: string): BusinessNumber[];
  /** Whether any number belongs to the account. */
  hasAccount(businessAccountId: string): boolean;
  /** Whether the token opens anything here. */
  isToken(token: string): boolean;
  all(): BusinessNumber[];
  /** Whether the app is subscribed to the account's webhooks, as it is at first. Webhooks are sent either way. */
  isSubscribed(businessAccountId: string): boolean;
  subscribe(businessAccountId: string, isSubscribed: boolean): void;
  /** Restores the numbers given at start. */
  reset(): void;
}

/** Creates {@link Numbers}. @param inputs at least one. */
export function createNumbers(
  inputs: readonly [NumberInput, ...NumberInput[]],
  defaults: { businessAccountId: string; accessToken: string },
): Numbers {
  const numbers = new Map<string, BusinessNumber>();
  const unsubscribed = new Set<string>();

  function put(input: NumberInput): BusinessNumber {
    const known = numbers.get(input.id);
    const merged = {
      businessAccountId: defaults.businessAccountId,
      displayPhoneNumber: `1555${input.id.slice(-7).padStart(7, '0')}`,
      verifiedName: 'Switchyard Simulator',
      throughputLevel: 'STANDARD' as const,
      qualityRating: 'GREEN' as const,
      messagingLimitTier: 'TIER_100K',
      status: 'CONNECTED',
      canSendMessage: 'AVAILABLE' as const,
      isOnBizApp: false,
      accessToken: defaults.accessToken,
      ...known,
      ...input,
    };
    const digits = merged.displayPhoneNumber.replace(/\D/g, '');
    const metadata = { display_phone_number: digits, phone_number_id: merged.id };
    const number = { ...merged, digits, metadataJson: JSON.stringify(metadata) };
    numbers.set(input.id, number);
    return number;
  }

  for (const input of inputs) put(input);
  return {
    get: (id) => numbers.get(id),
    put,
    first: () => numbers.values().next().value as BusinessNumber,
    ofAccount: (id) => [...numbers.values()].filter((number) => number.businessAccountId === id),
    hasAccount: (id) => [...numbers.values()].some((number) => number.businessAccountId === id),
    isToken: (token) => [...numbers.values()].some((number) => number.accessToken === token),
    all: () => [...numbers.values()],
    isSubscribed: (id) => !unsubscribed.has(id),
    subscribe(id, isSubscribed) {
      if (isSubscribed) unsubscribed.delete(id);
      else unsubscribed.add(id);
    },
    reset() {
      numbers.clear();
      unsubscribed.clear();
      for (const input of inputs) put(input);
    },
  };
}

/** Messages per second that a number may send and receive. */
export function throughputOf(number: BusinessNumber): number {
  return number.throughputLevel === 'HIGH' ? 1000 : 80;
}
