with
    histories as (select * from {{ ref("fct_order_histories") }}),

    final as (
        select
            fit_window,
            repeat_day_count,
            recency_days,
            age_days,
            count(*) as customer_count,
            sum(holdout_day_count) as holdout_day_count,
            sum(holdout_day_count * holdout_day_count) as holdout_day_squares,
            sum(
                case when holdout_day_count > 0 then 1 else 0 end
            ) as holdout_customer_count
        from histories
        -- it is not known since when they have been ordering
        where not is_left_truncated
        group by fit_window, repeat_day_count, recency_days, age_days
    )

select *
from final
