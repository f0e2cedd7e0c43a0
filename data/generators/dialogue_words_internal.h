// The words that dialogues are made of. Each list is part of what a (split, seed, number) gives: none may change.
#pragma once

#include <string>
#include <vector>

namespace weft::dialogue {

struct Verb {
  std::string now, past;
};
using Words = std::vector<std::string>;
// Even: she; odd: he.
inline const Words names = {"Ada",  "Ben",  "Cleo", "Dan", "Emma", "Finn", "Gwen", "Hugo",
                            "Ines", "Jack", "Kate", "Leo", "Mia",  "Max",  "Nora", "Otto",
                            "Ruth", "Paul", "Tess", "Sam", "Uma",  "Tom",  "Zoe",  "Will"};
inline const Words places = {"barn",   "beach",   "bridge", "castle",  "cave",   "church", "farm",   "forest",
                             "garden", "harbour", "hill",   "lake",    "market", "mill",   "museum", "park",
                             "pond",   "river",   "school", "station", "square", "tower",  "valley", "well"};
inline const Words things = {"bag",   "ball", "basket", "bell", "boat",  "bowl", "box",  "cart",
                             "chair", "cup",  "doll",   "drum", "fan",   "flag", "hat",  "kite",
                             "lamp",  "mask", "pipe",   "pot",  "scarf", "sled", "tent", "toy"};
inline const Words colours = {"black", "blue", "brown", "green", "pink", "red", "white", "yellow"};
inline const Words fruits = {"apples",  "beans", "berries", "carrots",  "cherries", "dates",   "figs",
                             "grapes",  "leeks", "lemons",  "melons",   "nuts",     "olives",  "onions",
                             "peaches", "pears", "plums",   "radishes", "turnips",  "tomatoes"};
inline const Words numbers = {"two",       "three",    "four",     "five",    "six",
                              "seven",     "eight",    "nine",     "ten",     "eleven",
                              "twelve",    "thirteen", "fourteen", "fifteen", "sixteen",
                              "seventeen", "eighteen", "nineteen", "twenty"};
// The first of each half are good.
inline const Words feelings = {"glad", "happy", "merry", "proud", "cross", "sad", "upset", "worried"};
inline const Words reasons = {"won a race",      "won a prize",      "won a medal",     "won a game",
                              "seen a whale",    "seen a comet",     "seen a swan",     "seen a deer",
                              "learned to swim", "learned to dance", "learned to sing", "learned to ride",
                              "lost a coin",     "lost a shoe",      "lost a ring",     "lost a button",
                              "broken a plate",  "broken a jug",     "broken a glass",  "broken a window",
                              "missed a train",  "missed a bus",     "missed a party",  "missed a concert"};
inline const Words went = {"went", "walked", "ran", "hurried"};
inline const std::vector<Verb> got = {
    {"buy", "bought"}, {"find", "found"}, {"make", "made"}, {"paint", "painted"}};
inline const std::vector<Verb> counted = {
    {"eat", "ate"}, {"pick", "picked"}, {"sell", "sold"}, {"wash", "washed"}};
inline const std::vector<Verb> dealt = {{"help", "helped"},   {"call", "called"},     {"visit", "visited"},
                                        {"thank", "thanked"}, {"follow", "followed"}, {"tease", "teased"}};
inline const Words openings = {"", "", "One day ", "Last week ", "On Sunday "};

}  // namespace weft::dialogue
