{# Brands that a customer said would be considered, from ratings of brands; the latest answer counts. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    -- where a questionnaire asks of several categories, the widest choice counts
    counted as (
        select
            customer_key,
            response_key,
            category,
            submitted_date,
            count(case when is_considered then 1 end) as considered_count
        from {{ ref("fct_brand_ratings") }}
        cross join as_of
        where
            not is_duplicate
            and customer_key is not null
            and is_considered is not null
            and submitted_date
            > {{ window_start("as_of.as_of", var("loyalty_window_months")) }}
            and submitted_date <= as_of.as_of
        group by customer_key, response_key, category, submitted_date
    ),

    placed as (
        select
            *,
            row_number() over (
                partition by customer_key
                order by
                    submitted_date desc,
                    considered_count desc,
                    md5(response_key || category)
            ) as recency
        from counted
    ),

    final as (
        select customer_key, response_key, submitted_date, considered_count
        from placed
        where recency = 1
    )

select *
from final
