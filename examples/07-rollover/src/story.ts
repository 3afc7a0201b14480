/** Prints what happens: a sentence a person can follow, or one JSON object a line. */
export interface Story {
  tell(event: string, sentence: string, fields?: Readonly<Record<string, unknown>>): void
}

export function createStory(asJson: boolean): Story {
  return {
    tell(event, sentence, fields = {}) {
      console.log(asJson ? JSON.stringify({ event, ...fields }) : sentence)
    },
  }
}
