--[[
fadn in darktable: denoise the selected raw files, and import the DNGs beside them.

Install: copy this file to ~/.config/darktable/lua/fadn.lua and add the line

    require "fadn"

to ~/.config/darktable/luarc. After a restart, "denoise with fadn" is a button among the
actions on selected images, and can be given a shortcut. Settings: preferences, Lua options.

Each DNG joins the group of its source, with the same stars, colours and tags. The source and
its edits stay as they are. darktable 3.6 (Lua API 7) or newer, on Linux or macOS.

Apache-2.0, as fadn.
]]

local dt = require "darktable"

local NAME = "fadn"
local COLOURS = {"red", "yellow", "green", "blue", "purple"}

dt.preferences.register(
  NAME, "command", "string", "fadn: program",
  "how fadn is called; its whole path, if darktable does not find it", "fadn"
)
dt.preferences.register(
  NAME, "options", "string", "fadn: options",
  "as --strength 0.8 --quality fast; see fadn denoise --help", ""
)

-- Make any file name one word for the shell.
local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- Where the DNG of an image goes: beside it, as fadn would name it.
local function output_of(image)
  local stem = image.filename:match("^(.+)%.[^.]*$") or image.filename
  return image.path .. "/" .. stem .. "_denoised.dng"
end

-- Import a DNG, and give it what its source has.
local function import(output, image)
  local new = dt.database.import(output)
  new:group_with(image.group_leader)
  new.rating = image.rating
  for _, colour in ipairs(COLOURS) do
    new[colour] = image[colour]
  end
  for _, tag in ipairs(dt.tags.get_tags(image)) do
    if not tag.name:match("^darktable|") then
      dt.tags.attach(tag, new)
    end
  end
end

-- Denoise one image; return whether its DNG is there.
local function denoise(image)
  local output = output_of(image)
  local words = {
    quoted(dt.preferences.read(NAME, "command", "string")),
    "denoise --quiet",
    dt.preferences.read(NAME, "options", "string"),
    "-o", quoted(output),
    "--", quoted(image.path .. "/" .. image.filename),
  }
  if dt.control.execute(table.concat(words, " ")) ~= 0 or not exists(output) then
    return false
  end
  import(output, image)
  return true
end

local function denoise_all(images)
  local job = dt.gui.create_job("denoising with fadn", true, function(job) job.valid = false end)
  local failed = {}
  for number, image in ipairs(images) do
    if not job.valid or dt.control.ending then break end
    if not denoise(image) then
      failed[#failed + 1] = image.filename
    end
    if job.valid then job.percent = number / #images end
  end
  if job.valid then job.valid = false end
  if #failed > 0 then
    dt.print("fadn could not denoise " .. table.concat(failed, ", "))
  end
end

dt.gui.libs.image.register_action(
  NAME, "denoise with fadn",
  function(_, images) denoise_all(images) end,
  "write and import a denoised DNG of each selected raw file"
)
dt.register_event(
  NAME, "shortcut",
  function() denoise_all(dt.gui.action_images) end,
  "denoise with fadn"
)
