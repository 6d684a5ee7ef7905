-- Holds requests back before anything of them reaches a server, while `proc.hold_SERVICE` is true (aiinfra sets it).
-- A hold that is never ended, because whoever began it died, ends by itself.
local LONGEST = 600 -- seconds

core.register_action("hold", { "http-req" }, function(txn, service)
    local until_then = core.now().sec + LONGEST
    while txn:get_var("proc.hold_" .. service) and core.now().sec < until_then do
        core.msleep(50)
    end
end, 1)
