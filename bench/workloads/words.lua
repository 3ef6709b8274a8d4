-- Makes words, counts them, sorts, splits and joins them. Arguments: words, seed.
local size, seed = tonumber(arg[1]), tonumber(arg[2])
math.randomseed(seed)
local count, by_letter, lines = {}, {}, {}
for i = 1, size do
    local letters = {}
    for j = 1, math.random(3, 6) do letters[j] = string.char(96 + math.random(26)) end
    local word = table.concat(letters)
    count[word] = (count[word] or 0) + 1
    local first = word:sub(1, 1)
    by_letter[first] = by_letter[first] or {}
    table.insert(by_letter[first], {word = word, at = i})
    if i % 4 == 0 then lines[#lines + 1] = i .. ":" .. word .. ":" .. word:reverse() end
end
local sorted = {}
for word in pairs(count) do sorted[#sorted + 1] = word end
table.sort(sorted, function(a, b) return count[a] > count[b] or count[a] == count[b] and a < b end)
local parts = {}
for _, line in ipairs(lines) do
    local at, word, turned = line:match("(%d+):(%w+):(%w+)")
    parts[turned] = {tonumber(at), word:upper()}
end
local words = {}
for _, entries in pairs(by_letter) do
    for _, entry in ipairs(entries) do words[#words + 1] = entry.word end
end
local text = table.concat(words, " "):gsub("(%w+) (%w+)", "%2 %1")
print(#sorted, #text)
