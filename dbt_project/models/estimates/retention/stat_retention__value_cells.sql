with
    histories as (select * from {{ ref("fct_order_histories") }}),

    final as (
        select
            currency_code,
            fit_window,
            valued_day_count,
            valued_amount,
            count(*) as customer_count,
            sum(holdout_valued_day_count) as holdout_valued_day_count,
            sum(holdout_valued_amount) as holdout_valued_amount
        from histories
        -- it is not known since when they have been ordering
        where not is_left_truncated
        group by currency_code, fit_window, valued_day_count, valued_amount
    )

select *
from final
