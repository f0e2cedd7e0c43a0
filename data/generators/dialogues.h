// Dialogues about a short story: someone tells it, asks about it, and every answer is known.
//
//   system     Ada ran to the mill. Then she bought a red kite. Ben was sad because he had lost a coin. ...
//   user       Where did Ada go?            assistant  Ada went to the mill.
//   user       And what did she buy?        assistant  Ada bought a kite.
//   user       And Ben?                     assistant  I don't know.
//
// A story has two or three persons and three to five facts, a sentence each, those of a person together. It says
//   where they went      "Ada went (walked, ran, hurried) to the mill."
//   what they got        "Ben bought a (red) kite."      bought, found, made, painted
//   how many             "He picked seven plums."        ate, picked, sold, washed; two to twenty
//   why they felt so     "She was sad because she had lost a coin."
//   whom they dealt with "Ada called Ben."               helped, called, visited, thanked, followed, teased
// Of one kind no two facts share a place, thing, fruit, feeling or, of the last, a verb, so that an answer is the only
// one. "She" or "he" in a story is the person whom the sentence before is about; no other of that pronoun is in it.
//
// A question is about one fact: its where, what, how many, why or whom, its "who", or the colour of a thing; or it is
// about something that the story does not say, and may differ from what it says in one word; then the answer is
// "I don't know.". What is asked goes on from the turn before where that makes it clear:
//   she, he   the only person of that pronoun that the turn before, question and answer, is about
//   it        the thing that the turn before is about
//   And Ben?  the turn before, asked about Ben
// So some answers need the story and one turn, and some a chain of turns.
#pragma once

#include <weft/data/generators/draws.h>

#include <cstdint>
#include <string>
#include <vector>

namespace weft {

struct Dialogue {
  struct Turn {
    std::string role;  ///< "system", "user" or "assistant"
    std::string text;
  };
  /// In half of all dialogues the system tells the story; else the first user's turn does, before its question. Then
  /// three to six times a user's question and its answer.
  std::vector<Turn> turns;
  std::string story;  ///< what the split goes by
};

/// A function of the draws.
Dialogue draw_dialogue(Draws& draws);
/// Dialogue `number` of a split of the stream `seed`: a function of the three. No story that is in one split is ever in
/// the other, whatever the seeds and the questions (split_of()).
Dialogue make_dialogue(Split split, uint64_t seed, uint64_t number);

}  // namespace weft
