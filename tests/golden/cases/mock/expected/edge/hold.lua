-- Holds requests back before anything of them reaches a server, until the second in `proc.hold_SERVICE`. aiinfra sets it
-- to a moment that is near, again and again: a hold whose command died ends by itself.
core.register_action("hold", { "http-req" }, function(txn, service)
    while (txn:get_var("proc.hold_" .. service) or 0) > core.now().sec do
        core.msleep(50)
    end
end, 1)
